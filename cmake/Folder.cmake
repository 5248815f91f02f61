# smtpscope_folder(NAME [SOURCES file...] [USES folder-or-library...] [PRECOMPILE header...])
#
# Declares the library of one source folder, smtpscope_NAME, with the warnings that all our code
# is held to. A folder without sources becomes an interface target. PRECOMPILE names headers that
# most of its files include and that are slow to compile; -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON
# shows whether every file includes what it uses.
function(smtpscope_folder name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;PRECOMPILE")
  if(arg_SOURCES)
    add_library(smtpscope_${name} STATIC ${arg_SOURCES})
    target_include_directories(smtpscope_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
    target_link_libraries(smtpscope_${name} PUBLIC ${arg_USES})
    smtpscope_flags(smtpscope_${name})
    if(arg_PRECOMPILE)
      target_precompile_headers(smtpscope_${name} PRIVATE ${arg_PRECOMPILE})
    endif()
  else()
    add_library(smtpscope_${name} INTERFACE)
    target_include_directories(smtpscope_${name} INTERFACE "${PROJECT_SOURCE_DIR}")
    target_link_libraries(smtpscope_${name} INTERFACE ${arg_USES})
  endif()
endfunction()

# Warnings, sanitizers and nothing else.
function(smtpscope_flags target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${SMTPSCOPE_WERROR}>:-Werror>)
  if(SMTPSCOPE_FUZZ)  # the fuzzer sees which code an input reaches
    target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  if(SMTPSCOPE_SANITIZE)
    target_compile_options(${target} PRIVATE
      -fsanitize=${SMTPSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=${SMTPSCOPE_SANITIZE})
  endif()
endfunction()
