# sheaf_layer(NAME SOURCES... USES dirs...): one layer of the library, as object files.
# USES names the only folders that its includes may come from.

# Settings that every layer shares: an interface library, so that nothing is set globally
# and nothing leaks into a project that includes us.
add_library(sheaf_settings INTERFACE)
target_compile_definitions(sheaf_settings INTERFACE _GNU_SOURCE $<TARGET_PROPERTY:sheaf,INTERFACE_COMPILE_DEFINITIONS>)
target_compile_options(sheaf_settings INTERFACE
    -ffp-contract=off            # the same bits on every instruction set: no fused multiply-add unasked
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
    $<$<BOOL:${SHEAF_WERROR}>:-Werror>)
target_include_directories(sheaf_settings INTERFACE
    "${PROJECT_SOURCE_DIR}/include" "${PROJECT_BINARY_DIR}/include")
if(SHEAF_FUZZ)
  target_compile_options(sheaf_settings INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(sheaf_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;USES" ${ARGN})
  add_library(${name} OBJECT ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sheaf_settings)
  target_compile_definitions(${name} PRIVATE sheaf_EXPORTS)
  target_include_directories(${name} PRIVATE ${arg_USES})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
      C_VISIBILITY_PRESET hidden C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
  target_sources(sheaf         PRIVATE $<TARGET_OBJECTS:${name}>)
  target_sources(sheaf_testing PRIVATE $<TARGET_OBJECTS:${name}>)
endfunction()

# sheaf_isa(NAME VBYTES FLAGS...): kernels/isa.c once more, for one instruction set.
function(sheaf_isa isa vbytes)
  set(target sheaf_kernels_${isa})
  sheaf_layer(${target} SOURCES isa.c USES "${PROJECT_SOURCE_DIR}/kernels")
  target_compile_definitions(${target} PRIVATE ISA=${isa} VBYTES=${vbytes})
  target_compile_options(${target} PRIVATE ${SHEAF_KERNEL_OPTIMISATION} -fno-math-errno ${ARGN})
endfunction()

# sheaf_program(NAME SOURCES... LIBS...): a program of ours, with the settings of the library.
function(sheaf_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sheaf_settings ${arg_LIBS})
  set_target_properties(${name} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
endfunction()
