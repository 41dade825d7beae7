# Builds and runs one consumer; see CMakeLists.txt beside this file.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    string(REPLACE ";" " " line "${ARGN}")
    message(FATAL_ERROR "failed (${code}): ${line}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
set(here "${SOURCE}/tests/consumers")

if(KIND STREQUAL "single_header")
  set(flags -DGEERPC_NO_HTTP)
  if(HTTP)
    execute_process(COMMAND pkg-config --cflags --libs cpp-httplib RESULT_VARIABLE code
                    OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(NOT code EQUAL 0)
      message(STATUS "cpp-httplib has no pkg-config file here: without HTTP, then")
      set(flags -DGEERPC_NO_HTTP)
    endif()
    separate_arguments(flags UNIX_COMMAND "${flags}")
  endif()
  run("${COMPILER}" -std=c++17 "-I${SOURCE}/single_include" "${here}/program.cpp"
      -o "${WORK}/program" ${flags} -pthread)
  run("${WORK}/program")
  return()
endif()

if(KIND STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/prefix")
  set(how "-DCMAKE_PREFIX_PATH=${WORK}/prefix" "-DEXPECTED_VERSION=${VERSION}" "-DHTTP=${HTTP}")
else()
  set(how "-DGEERPC_SOURCE=${SOURCE}")
endif()
run("${CMAKE_COMMAND}" -S "${here}/${KIND}" -B "${WORK}/build" -G "${GENERATOR}"
    "-DCMAKE_CXX_COMPILER=${COMPILER}" ${how})
run("${CMAKE_COMMAND}" --build "${WORK}/build")
run("${WORK}/build/program")
run("${WORK}/build/core_program")
