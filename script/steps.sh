# Sourced by script/test and script/demo.
#
#   step PLACE NAME COMMAND...     step "1 of 3" packages script/bootstrap
#
# Runs one step of several; says which it is and, when it is done, how long it took.
step() {
  local place=$1 name=$2 began=$SECONDS
  shift 2
  echo "=== step $place: $name"
  "$@"
  echo "=== step $place: $name done in $((SECONDS - began)) s"
}
