# Finds what geerpc needs. Here, targets are made visible to the whole build, since a parent project
# that links geerpc::geerpc has to see them too.

set(geerpc_already_found "")
foreach(target IN ITEMS Threads::Threads nlohmann_json::nlohmann_json httplib::httplib)
  if(TARGET ${target})
    list(APPEND geerpc_already_found ${target})
  endif()
endforeach()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
if(NOT TARGET nlohmann_json::nlohmann_json)
  find_package(nlohmann_json 3.10 REQUIRED)
endif()
include(cmake/geerpcHttplib.cmake)

foreach(target IN ITEMS Threads::Threads nlohmann_json::nlohmann_json httplib::httplib)
  if(TARGET ${target} AND NOT target IN_LIST geerpc_already_found)
    set_target_properties(${target} PROPERTIES IMPORTED_GLOBAL TRUE)
  endif()
endforeach()
