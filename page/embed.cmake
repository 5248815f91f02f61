# Turns SCRIPT and STYLE into OUTPUT, which defines what page/page_files.h declares.
set(definitions "")
foreach(name IN ITEMS Script Style)
  string(TOUPPER ${name} variable)
  file(READ "${${variable}}" octets HEX)
  file(SHA256 "${${variable}}" hash)
  # Too long for a string literal: no compiler has to take more than 65,536 octets.
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," octets "${octets}")
  string(REPEAT "......." 16 line)
  string(REGEX REPLACE "(${line})" "\\1\n    " octets "${octets}")
  string(APPEND definitions "constexpr char k${name}Octets[] = {\n    ${octets}};\n"
         "const PageFile kPage${name} = {{k${name}Octets, sizeof k${name}Octets}, \"${hash}\"};\n\n")
endforeach()
file(WRITE "${OUTPUT}" "#include \"page/page_files.h\"

namespace smtpscope {

${definitions}}  // namespace smtpscope
")
