# layers.cmake -- which folder may include which. Run:
#
#     cmake -DROOT=. -P tests/layers.cmake
#     cmake -DSELF_TEST=FOLDER -P tests/layers.cmake    (are breaches found? FOLDER is replaced)
#
# Includes go one way:  api -> exec, ops -> job -> memory -> base.  exec never sees an operation, ops
# never sees a backend, kernels/ knows nobody, and programs use the public header alone. What begins
# with sheaf/ is the public interface; a name without a folder is a file of the including folder.
cmake_minimum_required(VERSION 3.21)

set(layers kernels engine/base engine/memory engine/job engine/ops engine/exec engine/api engine/cli
           include/sheaf bench tests/consumer)
set(may_kernels        )
set(may_engine/base    base sheaf)
set(may_engine/memory  base memory sheaf)
set(may_engine/job     base memory job kernels.h sheaf) # finds a job's table by its number
set(may_engine/ops     base memory job ops kernels.h sheaf)
set(may_engine/exec    base memory job exec sheaf)
set(may_engine/api     base memory job ops exec api kernels.h sheaf)
set(may_engine/cli     cli sheaf/sheaf.h)
set(may_include/sheaf  sheaf)
set(may_bench          sheaf/sheaf.h)
set(may_tests/consumer sheaf/sheaf.h)
set(ours base memory job ops exec api cli sheaf kernels bench tests)

# what INCLUDED is, in the words of the lists above; "" if it is nobody's business (the system, or a
# file of the same folder).
function(classify out layer included)
  set(${out} "" PARENT_SCOPE)
  if(included STREQUAL "kernels.h" AND NOT layer STREQUAL "kernels")
    set(${out} kernels.h PARENT_SCOPE)
  elseif(included MATCHES "^([a-z]+)/")
    set(folder "${CMAKE_MATCH_1}")
    if(included IN_LIST may_${layer})
      set(${out} "${included}" PARENT_SCOPE)
    elseif(folder IN_LIST ours)
      set(${out} "${folder}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

function(breach text)
  message(NOTICE "${text}")
  set_property(GLOBAL APPEND PROPERTY breaches "${text}")
endfunction()

# Notes the breaches of one file.
function(check_file layer file)
  # what TEMPLATE stands for is checked where it is said
  file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*(include|define[ \t]+TEMPLATE)")
  foreach(line IN LISTS lines)
    if(line MATCHES "include[ \t]+TEMPLATE$")
      continue()
    endif()
    if(NOT line MATCHES "(include|TEMPLATE)[ \t]*([\"<])([^\">]+)[\">]")
      breach("${file}: an include that cannot be checked: ${line}")
      continue()
    endif()
    set(quote "${CMAKE_MATCH_2}")
    set(included "${CMAKE_MATCH_3}")
    classify(from ${layer} "${included}")
    get_filename_component(folder "${ROOT}/${file}" DIRECTORY)
    if(included MATCHES "\\.\\./")
      breach("${file}: includes \"${included}\": no way out of a folder")
    elseif(from AND NOT from IN_LIST may_${layer})
      breach("${file}: ${layer} may not include \"${included}\" (it may: ${may_${layer}})")
    elseif(NOT from AND quote STREQUAL "\"" AND NOT EXISTS "${folder}/${included}")
      breach("${file}: includes \"${included}\", which is no file of ${layer}")
    endif()
  endforeach()
endfunction()

function(check_tree)
  foreach(layer IN LISTS layers)
    file(GLOB_RECURSE files RELATIVE "${ROOT}"
         "${ROOT}/${layer}/*.c" "${ROOT}/${layer}/*.h" "${ROOT}/${layer}/*.def" "${ROOT}/${layer}/*.cpp")
    if(NOT files)
      breach("${layer}: no files: a layer has moved, and this test has not")
    endif()
    foreach(file IN LISTS files)
      check_file(${layer} "${file}")
    endforeach()
  endforeach()
  get_property(found GLOBAL PROPERTY breaches)
  if(found)
    message(FATAL_ERROR "the layers are not kept")
  endif()
endfunction()

# A small tree that is right passes; each of these files, added to it, is found.
function(self_test)
  set(mutants
      "engine/base/bad.c|#include \"memory/segment.h\""
      "engine/memory/bad.c|#include <job/op.h>"
      "engine/job/bad.c|#include \"ops/blake3.h\""
      "engine/exec/bad.c|#include \"kernels.h\""
      "engine/job/bad.h|  #  include \"exec/pool.h\""
      "engine/ops/bad.c|#include \"exec/pool.h\""
      "engine/ops/bad.c|#include \"isa_tmpl.h\""
      "engine/exec/bad.c|#include \"ops/table.h\""
      "engine/exec/bad.c|#include \"../job/good.c\""
      "engine/exec/bad.c|#include SOME_MACRO"
      "engine/cli/bad.c|#include <sheaf/array.h>"
      "engine/cli/deep/bad.c|#include \"base/error.h\""
      "kernels/bad.h|#include <sheaf/dtype.h>"
      "kernels/bad.c|#include \"base/error.h\""
      "include/sheaf/bad.h|#include \"base/error.h\""
      "bench/bad.cpp|#include \"kernels.h\""
      "tests/consumer/bad.c|#include \"check.h\"")
  file(REMOVE_RECURSE "${SELF_TEST}")
  foreach(layer IN LISTS layers)
    file(WRITE "${SELF_TEST}/${layer}/good.c" "#include \"own.h\"\n#include <sys/mman.h>\n")
    file(WRITE "${SELF_TEST}/${layer}/own.h" "#include <stddef.h>\n")
  endforeach()
  file(WRITE "${SELF_TEST}/engine/ops/kernel.c" "#include \"kernels.h\"\n#include \"job/op.h\"\n")
  file(WRITE "${SELF_TEST}/bench/api.cpp" "#include <sheaf/sheaf.h>\n")
  set(check "${CMAKE_COMMAND}" "-DROOT=${SELF_TEST}" -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}")
  execute_process(COMMAND ${check} RESULT_VARIABLE result ERROR_VARIABLE text)
  if(NOT result EQUAL 0)
    message(SEND_ERROR "a tree without breaches is refused: ${text}")
  endif()
  foreach(mutant IN LISTS mutants)
    string(REGEX MATCH "^([^|]*)\\|(.*)$" unused "${mutant}")
    set(file "${CMAKE_MATCH_1}")
    file(WRITE "${SELF_TEST}/${file}" "${CMAKE_MATCH_2}\n")
    execute_process(COMMAND ${check} RESULT_VARIABLE result ERROR_VARIABLE text)
    if(result EQUAL 0 OR NOT text MATCHES "${file}: ")
      message(SEND_ERROR "not found: ${mutant}\n${text}")
    endif()
    file(REMOVE "${SELF_TEST}/${file}")
  endforeach()
  file(REMOVE_RECURSE "${SELF_TEST}")
endfunction()

if(SELF_TEST)
  self_test()
else()
  check_tree()
endif()
