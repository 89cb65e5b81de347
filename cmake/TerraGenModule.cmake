# One module = one folder under src/terragen = one static library `terragen_<name>`, alias TerraGen::<name>.
#
# terragen_module(NAME geo DEPENDS core ... SOURCES x.cpp ... [TESTS x_test.cpp ...] [BENCHMARKS x_benchmark.cpp ...]
#                 [LIBRARIES GDAL::GDAL ...] [PUBLIC_LIBRARIES ...] [TORCH])
#
# The floors of the house: a module may depend only on modules of this list that stand before it, and may
# include only headers of modules it names in DEPENDS. Both are checked here, so that a layering mistake
# fails the configure step.
set(TERRAGEN_FLOORS
  core nn metrics
  tensor geo layout diffusion
  formats models shards
  pretrained data
  training synthesis prediction
  evaluation
  app)

set(TERRAGEN_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Woverloaded-virtual -Wdouble-promotion -Wimplicit-fallthrough -Wno-missing-field-initializers -Werror)

function(terragen_check_floor name depends)
  list(FIND TERRAGEN_FLOORS ${name} own)
  if(own EQUAL -1)
    message(FATAL_ERROR "layering: module '${name}' stands on no floor; name it in TERRAGEN_FLOORS")
  endif()
  foreach(other IN LISTS depends)
    list(FIND TERRAGEN_FLOORS ${other} floor)
    if(floor EQUAL -1 OR NOT floor LESS own)
      message(FATAL_ERROR "layering: '${name}' may not depend on '${other}', which does not stand before it")
    endif()
  endforeach()
endfunction()

function(terragen_check_includes name depends files)
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${file})
    file(STRINGS ${file} lines REGEX "^#include \"terragen/")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^#include \"terragen/([a-z_]+)/.*" "\\1" other "${line}")
      if(NOT other STREQUAL name AND NOT other IN_LIST depends)
        message(FATAL_ERROR "layering: ${name}/${file} includes '${other}', which is not in DEPENDS of '${name}'")
      endif()
    endforeach()
  endforeach()
endfunction()

# Compiles torch/torch.h once for the whole build; every module that uses LibTorch reuses it.
function(terragen_torch_header)
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/torch_header.cpp "// holds the precompiled torch header\n")
  add_library(terragen_torch_header OBJECT ${CMAKE_CURRENT_BINARY_DIR}/torch_header.cpp)
  target_link_libraries(terragen_torch_header PUBLIC terragen_torch)
  target_compile_options(terragen_torch_header PRIVATE ${TERRAGEN_WARNINGS})
  target_precompile_headers(terragen_torch_header PRIVATE <torch/torch.h> <nlohmann/json.hpp>)
endfunction()

function(terragen_module)
  cmake_parse_arguments(M "TORCH" "NAME" "DEPENDS;SOURCES;TESTS;BENCHMARKS;LIBRARIES;PUBLIC_LIBRARIES" ${ARGN})
  terragen_check_floor(${M_NAME} "${M_DEPENDS}")
  file(GLOB headers RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.h)
  terragen_check_includes(${M_NAME} "${M_DEPENDS}" "${M_SOURCES};${headers}")

  set(target terragen_${M_NAME})
  add_library(${target} STATIC ${M_SOURCES})
  add_library(TerraGen::${M_NAME} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${M_NAME})
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src> $<INSTALL_INTERFACE:include>)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${TERRAGEN_WARNINGS})
  list(TRANSFORM M_DEPENDS PREPEND terragen_ OUTPUT_VARIABLE dependencies)
  target_link_libraries(${target} PUBLIC ${dependencies} ${M_PUBLIC_LIBRARIES} PRIVATE ${M_LIBRARIES})
  if(M_TORCH)
    target_link_libraries(${target} PUBLIC terragen_torch)
    target_precompile_headers(${target} REUSE_FROM terragen_torch_header)
  endif()
  set_property(GLOBAL APPEND PROPERTY TERRAGEN_MODULE_TARGETS ${target})
  install(FILES ${headers} DESTINATION include/terragen/${M_NAME})

  if(TERRAGEN_BENCHMARKS AND M_BENCHMARKS)
    add_executable(${target}_benchmark ${M_BENCHMARKS})
    target_compile_options(${target}_benchmark PRIVATE ${TERRAGEN_WARNINGS})
    target_link_libraries(${target}_benchmark PRIVATE ${target} benchmark::benchmark benchmark::benchmark_main)
    if(M_TORCH)
      target_precompile_headers(${target}_benchmark REUSE_FROM terragen_torch_header)
    endif()
  endif()
  if(TERRAGEN_TESTS AND M_TESTS)
    add_executable(${target}_test ${M_TESTS})
    target_compile_options(${target}_test PRIVATE ${TERRAGEN_WARNINGS})
    target_compile_definitions(${target}_test PRIVATE TERRAGEN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gtest GTest::gtest_main)
    if(M_TORCH)
      target_link_libraries(${target}_test PRIVATE terragen_torch)
      target_precompile_headers(${target}_test REUSE_FROM terragen_torch_header)
    endif()
    # A suite named Golden* reads the reference tensors, one named Real* the real data: each gets its label.
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST TEST_FILTER "-*Golden*:*Real*"
      TEST_LIST ${target}_plain PROPERTIES LABELS ${M_NAME} TIMEOUT 900)
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST TEST_FILTER "*Golden*"
      TEST_LIST ${target}_golden PROPERTIES LABELS "golden;${M_NAME}" TIMEOUT 900)
    gtest_discover_tests(${target}_test DISCOVERY_MODE PRE_TEST TEST_FILTER "*Real*"
      TEST_LIST ${target}_real PROPERTIES LABELS "real;${M_NAME}" TIMEOUT 1800)
  endif()
endfunction()
