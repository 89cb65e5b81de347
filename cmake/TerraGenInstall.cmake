# Install rules: find_package(TerraGen) gives TerraGen::core, TerraGen::layout, ... as targets.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
get_property(module_targets GLOBAL PROPERTY TERRAGEN_MODULE_TARGETS)
install(TARGETS ${module_targets} terragen_torch EXPORT TerraGenTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set(TERRAGEN_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/TerraGen)
install(EXPORT TerraGenTargets NAMESPACE TerraGen:: DESTINATION ${TERRAGEN_CONFIG_FOLDER})
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/TerraGenConfig.cmake.in ${PROJECT_BINARY_DIR}/TerraGenConfig.cmake
  INSTALL_DESTINATION ${TERRAGEN_CONFIG_FOLDER})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/TerraGenConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/TerraGenConfig.cmake ${PROJECT_BINARY_DIR}/TerraGenConfigVersion.cmake
  DESTINATION ${TERRAGEN_CONFIG_FOLDER})
if(TARGET terragen)
  install(TARGETS terragen)
endif()
if(TERRAGEN_TESTS)
  add_test(NAME install
    COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR} -DCONSUMER=${PROJECT_SOURCE_DIR}/tests/consumer -DTYPE=${CMAKE_BUILD_TYPE}
      "-DFLAGS=${CMAKE_CXX_FLAGS}"
      -P ${PROJECT_SOURCE_DIR}/cmake/TestInstall.cmake)
  set_tests_properties(install PROPERTIES LABELS install TIMEOUT 900)
endif()
