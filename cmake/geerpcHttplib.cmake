# Defines geerpc::httplib: cpp-httplib as this machine has it. Used by the build and, installed, by
# find_package(geerpc), so that both look in the same way.
#
# It comes with a CMake package from upstream, and with a pkg-config file from Debian, where it is a
# compiled library. Without it the target defines GEERPC_NO_HTTP, which leaves out the HTTP parts.
# Sets geerpc_http_FOUND. GEERPC_HTTP may be OFF (don't look) or ON (fail without it).

if(NOT TARGET geerpc::httplib)
  add_library(geerpc::httplib INTERFACE IMPORTED GLOBAL)
  set(geerpc_httplib_target "")
  if(NOT DEFINED GEERPC_HTTP OR GEERPC_HTTP STREQUAL "AUTO" OR GEERPC_HTTP)
    if(NOT TARGET httplib::httplib)
      find_package(httplib CONFIG QUIET)
    endif()
    if(TARGET httplib::httplib)
      set(geerpc_httplib_target httplib::httplib)
    else()
      find_package(PkgConfig QUIET)
      if(PkgConfig_FOUND)
        pkg_check_modules(GEERPC_HTTPLIB QUIET IMPORTED_TARGET GLOBAL cpp-httplib)
        if(GEERPC_HTTPLIB_FOUND)
          set(geerpc_httplib_target PkgConfig::GEERPC_HTTPLIB)
        endif()
      endif()
    endif()
  endif()
  if(geerpc_httplib_target)
    set_target_properties(geerpc::httplib PROPERTIES
                          INTERFACE_LINK_LIBRARIES ${geerpc_httplib_target})
  elseif(DEFINED GEERPC_HTTP AND NOT GEERPC_HTTP STREQUAL "AUTO" AND GEERPC_HTTP)
    message(FATAL_ERROR "GEERPC_HTTP is ON, but cpp-httplib was not found. "
                        "On Debian: apt-get install libcpp-httplib-dev pkg-config")
  else()
    set_target_properties(geerpc::httplib PROPERTIES
                          INTERFACE_COMPILE_DEFINITIONS GEERPC_NO_HTTP)
  endif()
endif()

get_target_property(geerpc_http_FOUND geerpc::httplib INTERFACE_LINK_LIBRARIES)
if(geerpc_http_FOUND)
  set(geerpc_http_FOUND TRUE)
else()
  set(geerpc_http_FOUND FALSE)
endif()
