# Where the dependencies come from. libtorch: CMAKE_PREFIX_PATH, else the virtual environment that cmake/setup.sh makes. The rest: the system.

if(NOT Torch_DIR)
  file(GLOB wheel_prefixes ${PROJECT_SOURCE_DIR}/build/venv/lib/python3*/site-packages/torch/share/cmake)
  list(APPEND CMAKE_PREFIX_PATH ${wheel_prefixes})
endif()
find_package(Torch QUIET)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "libtorch was not found. Either run `bash cmake/setup.sh`, which installs it under build/venv, "
                      "or give the folder of your own with -DCMAKE_PREFIX_PATH=/path/to/libtorch.")
endif()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(xtensor REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)

# utf8proc, xxHash and Oniguruma come without CMake files on Debian.
foreach(dependency IN ITEMS utf8proc:utf8proc.h:utf8proc xxhash:xxhash.h:xxhash onig:oniguruma.h:onig)
  string(REPLACE ":" ";" parts ${dependency})
  list(GET parts 0 name)
  list(GET parts 1 header)
  list(GET parts 2 library)
  find_path(${name}_INCLUDE_DIR ${header})
  find_library(${name}_LIBRARY ${library})
  if(NOT ${name}_INCLUDE_DIR OR NOT ${name}_LIBRARY)
    message(FATAL_ERROR "${name} was not found. On Debian and Ubuntu: apt-get install lib${name}-dev")
  endif()
  if(NOT TARGET ${name}::${name})
    add_library(${name}::${name} UNKNOWN IMPORTED)
    set_target_properties(${name}::${name} PROPERTIES IMPORTED_LOCATION ${${name}_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${${name}_INCLUDE_DIR})
  endif()
endforeach()
