# Headers, library, worker, command, and the two ways to find them: find_package(sheaf), pkg-config.
include(CMakePackageConfigHelpers)
set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sheaf")

install(TARGETS sheaf EXPORT sheafTargets)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" "${PROJECT_BINARY_DIR}/include/"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
if(TARGET sheaf_worker)
  install(TARGETS sheaf_worker DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/sheaf")
endif()
if(TARGET sheaf_cli)
  install(TARGETS sheaf_cli)
endif()

install(EXPORT sheafTargets NAMESPACE sheaf:: DESTINATION "${config_dir}")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/sheafConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/sheafConfig.cmake" INSTALL_DESTINATION "${config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sheafConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)   # before 1.0 a minor release may break
install(FILES "${PROJECT_BINARY_DIR}/sheafConfig.cmake"
              "${PROJECT_BINARY_DIR}/sheafConfigVersion.cmake" DESTINATION "${config_dir}")

# From the .pc file up to the prefix, so that the installed tree can be moved.
file(RELATIVE_PATH SHEAF_PC_UP "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
configure_file("${CMAKE_CURRENT_LIST_DIR}/sheaf.pc.in" "${PROJECT_BINARY_DIR}/sheaf.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/sheaf.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
