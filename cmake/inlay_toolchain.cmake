# Compiler cache, linker, warnings and sanitizers. inlay_warnings is linked by every target of ours and installed with none.

find_program(CCACHE ccache)
if(CCACHE AND PROJECT_IS_TOP_LEVEL)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

find_program(LLD ld.lld)
if(LLD AND PROJECT_IS_TOP_LEVEL AND NOT APPLE)
  add_link_options(-fuse-ld=lld)
endif()

add_library(inlay_warnings INTERFACE)
target_compile_options(inlay_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wno-missing-field-initializers
                       $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor> $<$<BOOL:${INLAY_WERROR}>:-Werror>)

if(INLAY_COVERAGE)
  add_compile_options(--coverage -fprofile-update=atomic -fprofile-abs-path)
  add_link_options(--coverage)
endif()

if(INLAY_SANITIZE)
  add_compile_options(-fsanitize=${INLAY_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${INLAY_SANITIZE})
endif()
