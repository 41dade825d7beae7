#!/bin/sh
# check_output.sh EXPECTED PROGRAM [ARGUMENT...]: runs the program, with no input, which must exit
# with 0, and compares its output with the file EXPECTED. There, each line is an extended regular
# expression:
#   text      some whole line of the output must match it
#   ! text    no whole line of the output may match it
#   # text    a comment; so are empty lines
# The order of the lines does not matter, since threads print when they come to it.

expected=$1
shift
output=$("$@" 2>&1 </dev/null)
code=$?
printf '%s\n' "$output"
failures=0
checks=0
complain() {
  echo "check_output: $*" >&2
  failures=$((failures + 1))
}
[ $code -eq 0 ] || complain "exit code $code instead of 0"
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    '#'* | '') continue ;;
    '! '*)
      printf '%s\n' "$output" | grep -Exq -e "${line#! }" && complain "forbidden line: ${line#! }"
      ;;
    *)
      printf '%s\n' "$output" | grep -Exq -e "$line" || complain "no such line: $line"
      ;;
  esac
  checks=$((checks + 1))
done <"$expected"
[ $checks -gt 0 ] || complain "$expected expects nothing"
[ $failures -eq 0 ]
