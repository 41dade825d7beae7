# cmake -DCOMPILER= -DNM= -DSOURCE= -DOBJECT= -DINCLUDES= -P footprint.cmake: of the names in SOURCE's
# object file, optimised, some contain the text of each "// present: text" line of SOURCE, and none
# that of an "// absent: text" line.

set(flags "")
foreach(directory IN LISTS INCLUDES)
  list(APPEND flags "-I${directory}")
endforeach()
execute_process(COMMAND "${COMPILER}" -std=c++17 -O2 ${flags} -c "${SOURCE}" -o "${OBJECT}"
                RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${SOURCE} does not compile")
endif()
execute_process(COMMAND "${NM}" -C "${OBJECT}" RESULT_VARIABLE code OUTPUT_VARIABLE names)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "${NM} fails")
endif()

file(STRINGS "${SOURCE}" lines REGEX "^// (present|absent): ")
set(failed "")
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^// (present|absent): " "" text "${line}")
  string(FIND "${names}" "${text}" at)
  if(line MATCHES "^// present" AND at EQUAL -1)
    string(APPEND failed "\n  ${text} is missing")
  elseif(line MATCHES "^// absent" AND NOT at EQUAL -1)
    string(APPEND failed "\n  ${text} is there")
  endif()
endforeach()
if(failed OR NOT lines)
  message(FATAL_ERROR "${SOURCE}:${failed}")
endif()
