#!/bin/sh
# Calls the service of web.cpp with curl: by position, by name, a failing one, a batch, and what
# methods there are.
set -eu

call() {
  curl -sS --max-time 10 -H 'Content-Type: application/json' -d "$1" http://127.0.0.1:8080/jsonrpc
  echo
}

call '{"jsonrpc": "2.0", "method": "Calculator.add", "params": [1, 2], "id": 1}'
call '{"jsonrpc": "2.0", "method": "Calculator.divide",
       "params": {"dividend": 42, "divisor": 6}, "id": "seven"}'
call '{"jsonrpc": "2.0", "method": "Calculator.divide", "params": {"divisor": 0}, "id": 2}'
call '[{"jsonrpc": "2.0", "method": "Calculator.add", "params": [3, 4], "id": 3},
       {"jsonrpc": "2.0", "method": "Calculator.add", "params": [0, 0]},
       {"jsonrpc": "2.0", "method": "Calculator.subtract", "params": [5, 6], "id": 4}]'
call '{"jsonrpc": "2.0", "method": "geerpc.Methods", "params": ["Calculator"], "id": 5}'
