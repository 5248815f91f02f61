# Makes of scdoc's roff what `mandoc -T lint` has nothing to say about: no paragraph macros that mean
# nothing, the title in capitals (-v title=NAME: scdoc takes no "@" in it), lines of at most 80 octets.
/^\.nf/ { literal = 1 }
/^\.fi/ { literal = 0 }
/^\.P$/ { paragraph = 1; next }
/^\.RE$/ { print; next }                    # the paragraph ends behind the block
/^\.(SH|SS) / { print; heading = 1; paragraph = 0; next }
/^\.TH / { $2 = "\"" toupper(title) "\""; print; heading = 1; next }
{
  if (paragraph && !heading) print ".P"
  paragraph = heading = 0
  line = $0
  while (!literal && line !~ /^[.']/ && length(line) > 80) {
    # Behind the last blank at which a line may end: what follows must not look like a request.
    at = 0
    for (i = 80; i > 1 && !at; --i)
      if (substr(line, i, 1) == " " && substr(line, i + 1, 1) !~ /[.' ]/) at = i
    if (!at) break
    print substr(line, 1, at - 1)
    line = substr(line, at + 1)
  }
  print line
}
