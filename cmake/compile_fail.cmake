# cmake -DCOMPILER= -DSOURCE= -DINCLUDES= -P compile_fail.cmake: SOURCE must not compile, and the
# compiler's output must contain the text of each "// expect: text" line of SOURCE.

file(STRINGS "${SOURCE}" expectations REGEX "^// expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${SOURCE} has no line \"// expect: text\"")
endif()
set(flags "")
foreach(directory IN LISTS INCLUDES)
  list(APPEND flags "-I${directory}")
endforeach()
execute_process(COMMAND "${COMPILER}" -std=c++17 -fsyntax-only ${flags} "${SOURCE}"
                RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} compiles, but must not")
endif()
foreach(expectation IN LISTS expectations)
  string(REGEX REPLACE "^// expect: " "" text "${expectation}")
  string(FIND "${output}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${SOURCE} fails, but without saying\n  ${text}\nIt says\n${output}")
  endif()
endforeach()
