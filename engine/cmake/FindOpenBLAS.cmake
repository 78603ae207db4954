# FindOpenBLAS.cmake -- where OpenBLAS's shared library is. It is not linked: the library loads it when the first
# large matrix comes, by the name found here. So what is needed is the library alone, neither headers nor
# the link of a development package; OpenBLAS_ROOT says where to look first.
#
#     OpenBLAS_FOUND
#     OpenBLAS_SONAME    what dlopen() is given: "libopenblas.so.0"
#     OpenBLAS_RUNPATH   the folder, if the system's loader would not look there; else empty
#     OpenBLAS_LIBRARY   (cache) the file
find_library(OpenBLAS_LIBRARY NAMES openblas libopenblas.so.0 openblasp libopenblasp.so.0)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenBLAS REQUIRED_VARS OpenBLAS_LIBRARY)
mark_as_advanced(OpenBLAS_LIBRARY)
if(OpenBLAS_FOUND)
  get_filename_component(OpenBLAS_SONAME "${OpenBLAS_LIBRARY}" NAME)
  get_filename_component(OpenBLAS_RUNPATH "${OpenBLAS_LIBRARY}" DIRECTORY)
  if(OpenBLAS_SONAME MATCHES "\\.so$") # the link that compilers use; users have the numbered name
    string(APPEND OpenBLAS_SONAME ".0")
  elseif(OpenBLAS_SONAME MATCHES "\\.a$")
    set(OpenBLAS_SONAME "libopenblas.so.0")
  endif()
  if(OpenBLAS_RUNPATH IN_LIST CMAKE_C_IMPLICIT_LINK_DIRECTORIES)
    set(OpenBLAS_RUNPATH "")
  endif()
endif()
