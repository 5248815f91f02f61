# smtpscope_prose(TARGET FOLDER)
#
# Prose is kept in Markdown beside the code that it explains, FOLDER/<id>.md below the folder that
# calls this, and compiled into TARGET, which has to use smtpscope_base. Pages begin with a small
# letter; FOLDER/README.md is none. The table is called k<Folder>Prose (rules: kRulesProse); a
# header declares it where it is used:
#
#   extern const std::span<const ProseSource> kRulesProse;   // "base/prose.h"
#
# and read_page() of that header takes a page apart. A page is Markdown with few of its means:
#
#   # The title, one line, no full stop
#
#   ## A section's heading
#
#   Paragraphs, wrapped as you like, with an empty line between them.
#
#   ## Another section
#
#   1. Or a list whose entries are numbered,
#      wrapped likewise, without empty lines between them.
#   2. Nothing else: no tables, no emphasis, no links.
#
# `backticks` hold what would be Markdown otherwise, such as `MAIL FROM:<>`; a backslash does so for
# one character. Both are gone in what readers of the program see.
#
# A changed page is compiled anew by the next build, a new one when CMake configures
# (script/build does so each time). Who needs a certain page or section tests that it is there.
function(smtpscope_prose target folder)
  file(GLOB pages "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/[a-z]*.md")
  string(SUBSTRING ${folder} 0 1 first)
  string(SUBSTRING ${folder} 1 -1 rest)
  string(TOUPPER ${first} first)
  set(list "${CMAKE_CURRENT_BINARY_DIR}/prose_${folder}.txt")
  set(output "${CMAKE_CURRENT_BINARY_DIR}/prose_${folder}.cc")
  file(CONFIGURE OUTPUT "${list}" CONTENT "${pages}" @ONLY)  # written only if it has changed
  add_custom_command(
    OUTPUT "${output}"
    COMMAND "${CMAKE_COMMAND}" "-DLIST=${list}" "-DOUTPUT=${output}" "-DTABLE=k${first}${rest}Prose"
            -P "${PROJECT_SOURCE_DIR}/cmake/Prose.cmake"
    DEPENDS ${pages} "${list}" "${PROJECT_SOURCE_DIR}/cmake/Prose.cmake"
    COMMENT "Pages of ${folder}"
    VERBATIM)
  # Alone, so that a word changed costs the compilation of this file only.
  set_source_files_properties("${output}" PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE "${output}")
endfunction()

# The command above: the pages named in LIST become the table TABLE in OUTPUT.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ "${LIST}" pages)
  set(rows "")
  foreach(page IN LISTS pages)
    file(READ "${page}" text)
    get_filename_component(id "${page}" NAME_WE)
    string(REPLACE "_" "-" id "${id}")
    string(APPEND rows "    {\"${id}\", R\"prose(${text})prose\"},\n")
  endforeach()
  string(CONCAT source
    "#include \"base/prose.h\"\n\nnamespace smtpscope {\n\n"
    "extern const std::span<const ProseSource> ${TABLE};\n\n"
    "constexpr ProseSource ${TABLE}Pages[] = {\n${rows}};\n"
    "const std::span<const ProseSource> ${TABLE} = ${TABLE}Pages;\n\n"
    "}  // namespace smtpscope\n")
  file(WRITE "${OUTPUT}" "${source}")
endif()
