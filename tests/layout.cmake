# layout.cmake -- the tests of the repository's own shape: who includes whom, sizes, names, format.
# They read sources and the library as built, run nothing of it, and are the same in every build.
find_program(SHEAF_PYTHON3 NAMES python3 REQUIRED)

function(sheaf_layout_test name)
  add_test(NAME layout-${name} COMMAND ${ARGN})
  set_tests_properties(layout-${name} PROPERTIES LABELS layout TIMEOUT 120 SKIP_RETURN_CODE 77)
endfunction()

set(layout "${SHEAF_PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/layout.py")
sheaf_layout_test(layers "${CMAKE_COMMAND}" "-DROOT=${PROJECT_SOURCE_DIR}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/layers.cmake")
sheaf_layout_test(layers-mutants "${CMAKE_COMMAND}" "-DSELF_TEST=${CMAKE_CURRENT_BINARY_DIR}/mutants"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/layers.cmake")
sheaf_layout_test(sizes ${layout} sizes "${PROJECT_SOURCE_DIR}")
sheaf_layout_test(words ${layout} words "${PROJECT_SOURCE_DIR}")
sheaf_layout_test(format ${layout} format "${PROJECT_SOURCE_DIR}")
sheaf_layout_test(tidy ${layout} tidy "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
set_tests_properties(layout-tidy PROPERTIES TIMEOUT 1200)
if(BUILD_SHARED_LIBS)
  sheaf_layout_test(symbols ${layout} symbols "${PROJECT_SOURCE_DIR}" $<TARGET_FILE:sheaf>)
endif()
