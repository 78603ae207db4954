# layout.cmake -- the tests of the repository and not of one build: who includes whom, sizes, names,
# format, the installed copy, the models. `./run test` runs them once, in dev.
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

# The installed copy, as its users find it.
foreach(name consumer readme)
  sheaf_layout_test(installed-${name} "${CMAKE_COMMAND}" -DUSE=${name} "-DBUILD=${PROJECT_BINARY_DIR}"
      "-DSOURCE=${PROJECT_SOURCE_DIR}" "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/installed-${name}"
      "-DCC=${CMAKE_C_COMPILER}" "-DCFLAGS=${CMAKE_C_FLAGS}" "-DPYTHON=${SHEAF_PYTHON3}"
      -P "${CMAKE_CURRENT_SOURCE_DIR}/installed.cmake")
endforeach()

# The protocols that share memory, as models: spin searches every interleaving.
foreach(model tree sweeps wake slot cancel due rest team)
  add_test(NAME model-${model} COMMAND "${SHEAF_PYTHON3}" "${CMAKE_CURRENT_SOURCE_DIR}/models/check.py"
      "${CMAKE_CURRENT_SOURCE_DIR}/models/${model}.pml" "${CMAKE_CURRENT_BINARY_DIR}/model-${model}")
  set_tests_properties(model-${model} PROPERTIES LABELS models TIMEOUT 600 SKIP_RETURN_CODE 77)
endforeach()

# The benchmark house, without its measurements; and the README's figures.
sheaf_layout_test(bench "${SHEAF_PYTHON3}" -B "${CMAKE_CURRENT_SOURCE_DIR}/test_bench.py" "${PROJECT_SOURCE_DIR}")
