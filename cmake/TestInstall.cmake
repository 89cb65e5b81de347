# Installs the build into a stage, builds the consumer against it, with the same flags (sanitizers), and runs it.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}")
  endif()
endfunction()
set(stage ${BUILD}/stage)
file(REMOVE_RECURSE ${stage} ${BUILD}/consumer)
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${stage})
run(${CMAKE_COMMAND} -S ${CONSUMER} -B ${BUILD}/consumer -G Ninja -DCMAKE_PREFIX_PATH=${stage} -DCMAKE_BUILD_TYPE=${TYPE}
  "-DCMAKE_CXX_FLAGS=${FLAGS}")
run(${CMAKE_COMMAND} --build ${BUILD}/consumer)
run(${BUILD}/consumer/consumer)
