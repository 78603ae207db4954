# installed.cmake -- installs a build into an empty folder, moves the folder elsewhere (what is
# installed must be relocatable), and uses it from there as a user would. Run:
#
#     cmake -DUSE=consumer|readme -DBUILD=build/dev -DSOURCE=. -DWORK=FOLDER -DCC=cc -DCFLAGS=... 
#           -DPYTHON=python3 -P installed.cmake
#
# WORK is replaced.
cmake_minimum_required(VERSION 3.21)

function(must)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${WORK}" COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")
execute_process(COMMAND "${CMAKE_COMMAND}" --install "${BUILD}" --prefix "${WORK}/first"
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME "${WORK}/first" "${WORK}/moved")
set(prefix "${WORK}/moved")
file(GLOB_RECURSE pc "${prefix}/*/sheaf.pc")
if(NOT pc)
  message(FATAL_ERROR "no sheaf.pc is installed")
endif()
get_filename_component(pc_folder "${pc}" DIRECTORY)
get_filename_component(lib_folder "${pc_folder}" DIRECTORY)

# What the user has: a compiler, pkg-config, and nothing that leads back to the build tree.
unset(ENV{SHEAF_WORKER})
unset(ENV{SHEAF_ISA})
set(ENV{CC} "${CC}")
set(ENV{CFLAGS} "${CFLAGS}")
set(ENV{PKG_CONFIG_PATH} "${pc_folder}")

if(USE STREQUAL consumer)
  if(EXISTS "${prefix}/bin/sheaf")
    must("${prefix}/bin/sheaf" --version)
  endif()
  string(RANDOM LENGTH 12 key)
  must("${CMAKE_COMMAND}" -S "${SOURCE}/tests/consumer" -B "${WORK}/by-cmake" -G Ninja
       "-DCMAKE_PREFIX_PATH=${prefix}")
  must("${CMAKE_COMMAND}" --build "${WORK}/by-cmake")
  must("${WORK}/by-cmake/consumer" "${prefix}" "sheaf-test-consumer-${key}")

  must(sh -c "$CC $CFLAGS -o by-pkg-config '${SOURCE}/tests/consumer/main.c' \
              $(pkg-config --cflags --libs sheaf)")
  set(ENV{LD_LIBRARY_PATH} "${lib_folder}")
  must("${WORK}/by-pkg-config" "${prefix}" "sheaf-test-consumer-${key}")
elseif(USE STREQUAL readme)
  must("${PYTHON}" "${SOURCE}/tests/test_readme.py" "${SOURCE}/README.md" "${WORK}")
else()
  message(FATAL_ERROR "USE is consumer or readme")
endif()
file(REMOVE_RECURSE "${WORK}")
