# One manual page: scdoc's source, from the file SOURCE or printed by `PROGRAM man TOPIC`, becomes OUTPUT.
if(NOT SOURCE)
  set(SOURCE "${OUTPUT}.scd")
  execute_process(COMMAND "${PROGRAM}" man ${TOPIC} OUTPUT_FILE "${SOURCE}" COMMAND_ERROR_IS_FATAL ANY)
endif()
get_filename_component(title "${OUTPUT}" NAME)
string(REGEX REPLACE "\\.[0-9]$" "" title "${title}")
execute_process(
  COMMAND "${SCDOC}" INPUT_FILE "${SOURCE}"
  COMMAND awk -v "title=${title}" -f "${CMAKE_CURRENT_LIST_DIR}/tidy.awk"
  OUTPUT_FILE "${OUTPUT}" COMMAND_ERROR_IS_FATAL ANY)
