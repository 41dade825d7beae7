// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// How the monitor finds the calls that take long: a model of include/geerpc/server/worker.hpp and
// monitor.hpp. What it does with them is hand_over.pml's subject. Each step names the code that it
// stands for.
//
// A worker's atomics are a step each: where two of them must be seen in one order the code makes
// them sequentially consistent. Its mutex is modelled, since the monitor holds it for long.
//
// Checked: a call that runs is never unwatched for ever, the monitor never touches one that has
// ended, no worker is on its list twice, and it comes to rest when nothing runs.
//
// Sizes, given with -D: WORKERS (1 or 2), CALLS that each of them runs, one after the other.

#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef CALLS
#define CALLS 2
#endif
#define CLAIMED 1
#define QUIET_LOOKS 2  // kQuietLooks, of which only matters that it is more than one

// Worker.
byte running[WORKERS];  // running_: 0, or twice the number of the call, plus CLAIMED
byte begun[WORKERS];    // calls_begun_
bool watched[WORKERS];
bool held[WORKERS];     // mutex_
bool added[WORKERS];    // Watchlist::added_, under a mutex of its own: each use is one step

// The model's own.
byte on_stack[WORKERS];  // the call whose RunningCall exists, or 0
byte left;

#if WORKERS == 2
#define ANY(what) (what[0] || what[1])
#else
#define ANY(what) (what[0])
#endif

proctype Serve(byte me) {
  byte call;
  bool sees, was_claimed, patient;
  do
  :: call == CALLS -> break
  :: call < CALLS ->
    call++;
    if  // its handler runs until it has been claimed, as one does that never ends
    :: patient = true
    :: true
    fi;
    atomic { on_stack[me] = call; begun[me] = call };
    // Worker::begin()
#ifdef BUG_LOOKS_FIRST
    sees = watched[me];
    running[me] = 2 * call;
#else
    running[me] = 2 * call;
    sees = watched[me];
#endif
    if
    :: sees
    :: else ->
      atomic { sees = watched[me]; watched[me] = true };  // watched_.exchange(true)
      if
      :: sees
      :: else -> atomic { assert(!added[me]); added[me] = true }  // watchlist_->add()
      fi
    fi;
    // The handler.
    !patient || (running[me] & CLAIMED);
    // Worker::end()
    atomic { was_claimed = running[me] & CLAIMED; running[me] = 0 };
#ifndef BUG_NO_WAIT
    if
    :: was_claimed -> !held[me]  // wait_for_monitor
    :: else
    fi;
#endif
    on_stack[me] = 0;
    patient = false;
    sees = false;
    was_claimed = false
  od;
  left++
}

// Monitor::run().
active proctype Monitor() {
  byte w, call, seen, last_running[WORKERS], last_begun[WORKERS], quiet[WORKERS];
  bool mine[WORKERS], is_active, is_slow;
end_sleeps:
  do
  :: atomic { ANY(mine) || ANY(added) ->  // Watchlist::take()
      for (w : 0 .. WORKERS - 1) {
        assert(!(mine[w] && added[w]));
        mine[w] = mine[w] || added[w];
        added[w] = false
      }
      w = 0
    };
    do
    :: w == WORKERS -> break
    :: w < WORKERS && !mine[w] -> w++
    :: w < WORKERS && mine[w] ->
      // Worker::look()
      seen = running[w];
      atomic {
        is_active = seen != 0 || begun[w] != last_begun[w];
        is_slow = seen != 0 && (seen | CLAIMED) == (last_running[w] | CLAIMED);
        last_running[w] = seen;
        last_begun[w] = begun[w];
        seen = 0
      };
      if
      :: is_slow ->  // Worker::claim()
        held[w] = true;
        atomic {
          if
          :: running[w] == last_running[w] ->  // the load, or compare_exchange_strong()
            call = last_running[w] / 2;
            running[w] = running[w] | CLAIMED;
            last_running[w] = running[w]
#ifdef BUG_CLAIMS_BLINDLY
          :: running[w] != last_running[w] -> call = last_running[w] / 2
#endif
          :: else
          fi
        };
        if
        :: call != 0 ->  // visit()
          assert(on_stack[w] == call);
          assert(on_stack[w] == call);  // and still
          call = 0
        :: else
        fi;
        held[w] = false
      :: else
      fi;
      // Worker::leave_alone()
      quiet[w] = (is_active -> 1 : quiet[w] + 1);
      if
      :: quiet[w] < QUIET_LOOKS
      :: else ->
        quiet[w] = 0;
        watched[w] = false;
#ifdef BUG_LEAVES_BLINDLY
        mine[w] = false
#else
        if
        :: running[w] == 0 -> mine[w] = false
#ifdef BUG_STAYS_BLINDLY
        :: running[w] != 0 -> watched[w] = true  // whoever set it first
#else
        :: running[w] != 0 -> atomic { mine[w] = !watched[w]; watched[w] = true }  // exchange(true)
#endif
        fi
#endif
      fi;
      is_active = false;
      is_slow = false;
      w++
    od
  od
}

// When nothing can move any more, all calls have ended.
active proctype Judge() {
  byte w;
  timeout;
  assert(left == WORKERS);
  for (w : 0 .. WORKERS - 1) {
    assert(running[w] == 0 && !held[w] && !added[w])
  }
}

init {
  byte w;
  atomic {
    for (w : 0 .. WORKERS - 1) {
      run Serve(w)
    }
  }
}
