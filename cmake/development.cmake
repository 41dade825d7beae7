# Private targets for tests and examples. Nothing here reaches users of geerpc::geerpc.

# Warnings and sanitizers.
add_library(geerpc_flags INTERFACE)
target_compile_options(geerpc_flags INTERFACE
                       -Wall -Wextra -Wpedantic -Wshadow -Wconversion
                       $<$<BOOL:${GEERPC_WERROR}>:-Werror>)
if(GEERPC_SANITIZE)
  target_compile_options(geerpc_flags INTERFACE
                         -fsanitize=${GEERPC_SANITIZE} -fno-sanitize-recover=all
                         -fno-omit-frame-pointer -g1)
  target_link_options(geerpc_flags INTERFACE -fsanitize=${GEERPC_SANITIZE})
endif()

# The library under test: the parts, or the single header. In the second case the parts must be out
# of reach, so <geerpc/part.hpp> becomes a generated header that forwards to the single one.
add_library(geerpc_under_test INTERFACE)
if(GEERPC_TEST_SINGLE_HEADER)
  file(GLOB_RECURSE geerpc_parts RELATIVE "${PROJECT_SOURCE_DIR}/include" CONFIGURE_DEPENDS
       "${PROJECT_SOURCE_DIR}/include/geerpc/*.hpp")
  list(REMOVE_ITEM geerpc_parts geerpc/geerpc.hpp)
  foreach(part IN LISTS geerpc_parts)
    file(WRITE "${PROJECT_BINARY_DIR}/forward/${part}.tmp" "#include <geerpc/geerpc.hpp>\n")
    configure_file("${PROJECT_BINARY_DIR}/forward/${part}.tmp"
                   "${PROJECT_BINARY_DIR}/forward/${part}" COPYONLY)
  endforeach()
  target_include_directories(geerpc_under_test INTERFACE
                             "${PROJECT_SOURCE_DIR}/single_include" "${PROJECT_BINARY_DIR}/forward")
  target_compile_features(geerpc_under_test INTERFACE cxx_std_17)
  target_compile_definitions(geerpc_under_test INTERFACE GEERPC_TEST_SINGLE_HEADER)
  target_link_libraries(geerpc_under_test INTERFACE
                        nlohmann_json::nlohmann_json Threads::Threads geerpc::httplib)
else()
  target_link_libraries(geerpc_under_test INTERFACE geerpc::geerpc)
endif()
