# tree-sitter and the grammars of INLAY_LANGUAGES, compiled from the sources that cmake/setup.sh puts into build/grammars, as the object
# library inlay_grammars; its folder of generated headers has grammars.inc, a line INLAY_GRAMMAR(name) each.

set(all_languages bash c cpp csharp go java javascript kotlin php python ruby rust typescript)
set(INLAY_LANGUAGES "${all_languages}" CACHE STRING "Languages that functions and classes are found in; empty for none")
set(INLAY_GRAMMARS ${PROJECT_SOURCE_DIR}/build/grammars CACHE PATH "Where the sources of tree-sitter and of the grammars are (cmake/setup.sh)")

foreach(language IN LISTS INLAY_LANGUAGES)
  if(NOT language IN_LIST all_languages)
    list(JOIN all_languages ", " known)
    message(FATAL_ERROR "INLAY_LANGUAGES: unknown language ${language}; there are ${known}")
  endif()
endforeach()

# A copy of a source with mistakes mended that end the process: text, what to put in its place, and so on. Fails where a text is not there.
function(inlay_mend_source from to)
  file(READ ${from} content)
  set(pairs ${ARGN})
  while(pairs)
    list(POP_FRONT pairs wrong right)
    string(FIND "${content}" "${wrong}" found)
    if(found EQUAL -1)
      message(FATAL_ERROR "${from} is not what cmake/inlay_grammars.cmake mends: it has no \"${wrong}\"")
    endif()
    string(REPLACE "${wrong}" "${right}" content "${content}")
  endwhile()
  file(WRITE ${to}.new "${content}")
  file(COPY_FILE ${to}.new ${to} ONLY_IF_DIFFERENT)
endfunction()

set(grammars_inc "// The grammars that are built in. Written by cmake/inlay_grammars.cmake.\n")
if(INLAY_LANGUAGES)
  set(core ${INLAY_GRAMMARS}/tree_sitter-0.26.1/tree_sitter/core/lib)
  set(pack ${INLAY_GRAMMARS}/tree_sitter_language_pack-0.13.0/parsers)
  set(c_sharp ${INLAY_GRAMMARS}/tree_sitter_c_sharp-0.23.1/src)
  if(NOT EXISTS ${core}/src/lib.c)
    message(FATAL_ERROR "The sources of tree-sitter were not found in ${INLAY_GRAMMARS}. Run `bash cmake/setup.sh`, which puts them there, "
                        "or build without parsing of source code: -DINLAY_LANGUAGES=")
  endif()

  enable_language(C)
  # Some scanners write a byte or two more than they may (python at 510 levels of indentation, ruby at here-documents with names of 1,019 bytes).
  set(mended ${PROJECT_BINARY_DIR}/generated)
  file(COPY ${core}/src/ DESTINATION ${mended}/tree_sitter PATTERN lexer.h EXCLUDE)
  inlay_mend_source(${core}/src/lexer.h ${mended}/tree_sitter/lexer.h
    "debug_buffer[TREE_SITTER_SERIALIZATION_BUFFER_SIZE]" "debug_buffer[TREE_SITTER_SERIALIZATION_BUFFER_SIZE + 256]")
  add_library(inlay_grammars OBJECT ${mended}/tree_sitter/lib.c)
  foreach(language IN LISTS INLAY_LANGUAGES)
    set(grammars ${language})
    if(language STREQUAL typescript)
      list(APPEND grammars tsx)
    endif()
    foreach(grammar IN LISTS grammars)
      set(folder ${pack}/${grammar}/src)
      set(headers ${folder})
      if(grammar STREQUAL csharp)  # its package lacks the headers; java's are of the same version
        set(grammar c_sharp)
        set(folder ${c_sharp})
        set(headers ${pack}/java/src)
      endif()
      set(sources ${folder}/parser.c)
      if(grammar STREQUAL kotlin)  # aborts where strings in strings are 1,024 deep
        inlay_mend_source(${folder}/scanner.c ${mended}/kotlin_scanner.c
          "SERIALIZATION_BUFFER_SIZE) abort()" "SERIALIZATION_BUFFER_SIZE) return" "stack->size == 0) abort()" "stack->size == 0) return 0"
          "stack == NULL) abort()" "stack == NULL) return NULL")
        list(APPEND sources ${mended}/kotlin_scanner.c)
      elseif(grammar MATCHES "^(bash|python)$")  # have memory of their own, which an exception out of tree-sitter would leave behind
        inlay_mend_source(${folder}/scanner.c ${mended}/${grammar}_scanner.c
          "Scanner *scanner = calloc(" "Scanner *scanner = ts_calloc(" " free(scanner)" " ts_free(scanner)")
        list(APPEND sources ${mended}/${grammar}_scanner.c)
      elseif(EXISTS ${folder}/scanner.c)
        list(APPEND sources ${folder}/scanner.c)
      endif()
      target_sources(inlay_grammars PRIVATE ${sources})
      set_source_files_properties(${sources} PROPERTIES INCLUDE_DIRECTORIES ${headers})
      string(APPEND grammars_inc "INLAY_GRAMMAR(${grammar})\n")
    endforeach()
  endforeach()
  target_include_directories(inlay_grammars PRIVATE ${mended}/tree_sitter PUBLIC ${core}/include)
  # Tables of a few megabytes, a few seconds each whatever the level. Warnings in them are not ours to mend; their assertions abort. What their
  # memory comes from throws (lib/code/parse/parser_memory.hpp).
  target_compile_options(inlay_grammars PRIVATE -w -O2 -fvisibility=hidden -fexceptions)
  target_compile_definitions(inlay_grammars PRIVATE NDEBUG TREE_SITTER_HIDE_SYMBOLS TREE_SITTER_REUSE_ALLOCATOR)
  set_target_properties(inlay_grammars PROPERTIES C_STANDARD 11 POSITION_INDEPENDENT_CODE ON)
endif()
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/generated/grammars.inc CONTENT "${grammars_inc}" @ONLY)
