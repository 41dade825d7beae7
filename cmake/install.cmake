# cmake --install: the headers, and the package for find_package(geerpc).

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(geerpc_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/geerpc")

install(DIRECTORY include/geerpc DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(TARGETS geerpc_core geerpc EXPORT geerpcTargets
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT geerpcTargets NAMESPACE geerpc:: DESTINATION "${geerpc_package_dir}")

configure_package_config_file(
  cmake/geerpcConfig.cmake.in "${PROJECT_BINARY_DIR}/geerpcConfig.cmake"
  INSTALL_DESTINATION "${geerpc_package_dir}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/geerpcConfigVersion.cmake"
                                 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
install(FILES
        "${PROJECT_BINARY_DIR}/geerpcConfig.cmake"
        "${PROJECT_BINARY_DIR}/geerpcConfigVersion.cmake"
        cmake/geerpcHttplib.cmake
        DESTINATION "${geerpc_package_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/geerpc")
