# The target `coverage`: runs the tests of lib/batch and lib/store, and what they are used through, and prints how many of their lines ran.
#
#   cmake --preset coverage && cmake --build --preset coverage
#
# Fails below 90%. As all tests, those that need the model find it through INLAY_MODEL (source build/setup.env and export it).

find_program(GCOVR gcovr HINTS ${PROJECT_SOURCE_DIR}/build/venv/bin DOC "gcovr, which `bash cmake/setup.sh --tests` installs" REQUIRED)

set(tests store caches cache_formats resumable batch generator scarce_memory)
set(programs test_store test_caches cache_worker test_resumable test_batch test_generator test_scarce_memory)
list(JOIN tests "|" tests)

add_custom_target(coverage
  COMMAND find ${CMAKE_BINARY_DIR} -name "*.gcda" -delete
  COMMAND ${CMAKE_CTEST_COMMAND} --output-on-failure -R "^(${tests})$"
  COMMAND ${GCOVR} --root ${PROJECT_SOURCE_DIR} --object-directory ${CMAKE_BINARY_DIR} --filter "${PROJECT_SOURCE_DIR}/lib/(batch|store)/"
          --gcov-ignore-parse-errors --sort uncovered-percent --txt --print-summary --fail-under-line 90
  WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
  USES_TERMINAL VERBATIM)
add_dependencies(coverage ${programs})
