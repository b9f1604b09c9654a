# Installing: libraries, headers, and what find_package(inlay) and pkg-config read.

option(INLAY_INSTALL "Install the libraries, their headers and their package files" ${PROJECT_IS_TOP_LEVEL})
if(NOT INLAY_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(inlay_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/inlay)

install(TARGETS inlay EXPORT inlay_cpp)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/inlay DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
install(EXPORT inlay_cpp NAMESPACE inlay:: FILE inlay-cpp-targets.cmake DESTINATION ${inlay_package_dir})

# libtorch is not in a folder that the loader searches: it is found beside the library, or where it was when this was built.
set_target_properties(inlay_c PROPERTIES INSTALL_RPATH "$ORIGIN;${TORCH_INSTALL_PREFIX}/lib")
install(TARGETS inlay_c EXPORT inlay_c)
install(FILES ${PROJECT_SOURCE_DIR}/capi/include/inlay.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT inlay_c NAMESPACE inlay:: FILE inlay-c-targets.cmake DESTINATION ${inlay_package_dir})

# Before 1.0 a minor version may change the interfaces.
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/inlay-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/inlay-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/inlay-config.cmake
                              INSTALL_DESTINATION ${inlay_package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inlay-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/inlay-config-version.cmake
        DESTINATION ${inlay_package_dir})

# Relative to its own place, so that the prefix can be chosen, and moved, after the build.
file(RELATIVE_PATH inlay_pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(${CMAKE_CURRENT_LIST_DIR}/inlay.pc.in ${CMAKE_CURRENT_BINARY_DIR}/inlay.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/inlay.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
