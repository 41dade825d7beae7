// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// What becomes of a connection whose call takes long: a model of include/geerpc/server/core.hpp,
// running_call.hpp, connection.hpp, worker.hpp and of net/outbox.hpp. How the monitor finds such a
// call is watchlist.pml's subject. Each step names the code that it stands for.
//
// What is code under the connection's mutex, or the outbox's, is one atomic step here; the worker's
// mutex is modelled, since the monitor holds it for long. Time is a choice: a handler may end, the
// monitor may claim its call and a deadline may pass at any moment.
//
// Checked: each request gets exactly one reply, from its handler or, too late, from the monitor;
// one thread reads the connection at a time; the monitor never touches a call that has ended; the
// connection is closed exactly once, with every reply sent and nobody sending; and the requests
// behind a call that takes long are served meanwhile.
//
// Left out: cancellation, and Server::stop().
//
// Given with -D: REQUESTS (1 to 3). And what may happen: MUCH (replies are large and leave at once),
// LIMITS (calls have deadlines), NO_THREADS (the pool may fail to start one), BREAKS (the peer is
// gone), FEW (a connection may have only two slow calls: the second one keeps the connection).

#ifndef REQUESTS
#define REQUESTS 2
#endif
#define WORKERS (REQUESTS + 1)
#define NONE 255

// ---- Worker: one per thread of the pool that serves.
#define CLAIMED 1
byte running[WORKERS];  // running_: 0, or 2 * (the call + 1), plus CLAIMED; no call runs twice
bool held[WORKERS];     // mutex_
byte workers = 1;

// ---- RunningCall.
bool alive[REQUESTS];        // it is on its worker's stack
bool handed_over[REQUESTS];  // guarded by the worker's mutex
bool replied[REQUESTS];      // guarded by the connection's mutex, as are:
bool slow[REQUESTS];         // ServerConnection::slow_calls_

// ---- ServerConnection.
bool input_ended;
byte late_replies;

// ---- Outbox. Replies, a bit for each.
byte queued;
bool sending;
byte taken;   // sending_buffer_; of the thread that set sending
bool broken;  // the peer takes nothing any more, or we have ended the stream
bool failed;  // not because all was said and done

// ---- The model's own.
byte unread;                // requests in the socket
byte replies[REQUESTS];     // that were written to the outbox
byte sent;                  // what has left
byte reader = NONE;         // whose the reading half is
byte closed;                // how often the connection was
byte threads = 1;           // that are in a task
bool last;                  // constant: handler 0 runs until all the others have replied

// WorkerPool::run(): which tasks have begun.
bool serves[WORKERS];
bool replies_late[REQUESTS];

#define ALL_BUT_FIRST ((1 << REQUESTS) - 2)

#if REQUESTS == 3
#define SLOW_CALLS (slow[0] + slow[1] + slow[2])
#elif REQUESTS == 2
#define SLOW_CALLS (slow[0] + slow[1])
#else
#define SLOW_CALLS slow[0]
#endif

// ServerConnection::is_over().
#ifdef BUG_FORGETS_LATE
#define IS_OVER (input_ended && SLOW_CALLS == 0)
#else
#ifdef BUG_FORGETS_SLOW
#define IS_OVER (input_ended && late_replies == 0)
#else
#define IS_OVER (input_ended && SLOW_CALLS == 0 && late_replies == 0)
#endif
#endif

// ---- The connection, from any thread.

// Outbox::flush(): sends what there is, and what others add meanwhile, unless another thread is at
// it. False if the stream is broken.
inline flush() {
  atomic {
    if
    :: broken -> works = false
    :: !broken && (sending || queued == 0) -> works = true  // busy, or nothing to do
    :: else -> works = true; sends = true; sending = true; taken = queued; queued = 0
    fi
  };
  do
  :: !sends -> break
  :: atomic { sends ->  // send_some(), without the mutex, and take_queue()
      if
      :: broken -> works = false; taken = 0
      :: else ->
        sent = sent | taken;
        taken = queued;
#ifndef BUG_LEAVES_QUEUE
        queued = 0
#else
        taken = 0
#endif
      fi;
      sending = taken != 0;
      sends = taken != 0
    }
  od
}

// ServerConnection::append(): the reply to a request. It leaves with others, or at once if they
// are many.
inline append(request) {
  atomic {
    assert(closed == 0);
    assert(replies[request] == 0);
    replies[request]++;
    works = !broken;
    queued = queued | (broken -> 0 : 1 << request)
  };
#ifdef MUCH
  if
  :: works -> flush()
  :: true
  fi
#else
  skip
#endif
}

// ServerCore::close(), for the last thread. (The goaway is left out: it is nobody's reply.)
inline close() {
  atomic { assert(closed == 0); closed++ };
  flush();
  atomic {
    assert(broken || (queued == 0 && !sending));  // nobody's bytes are cut off
    broken = true  // abort()
  }
}

// ServerCore::end_if_over(), whose change is the caller's: the steps from here to `over`.
inline close_if(over) {
  if
  :: over -> close()
  :: else
  fi;
  over = false
}

// ---- A thread that serves the connection.

// RunningCall::stop_running(), with Worker::end() in it.
inline stop_running() {
  atomic { was_claimed = running[me] & CLAIMED; running[me] = 0 };
#ifndef BUG_NO_WAIT
  if
  :: was_claimed -> !held[me]  // locks the worker's mutex
  :: else
  fi
#endif
}

// RunningCall::finish(): writes the result, an error or, past the deadline, that.
inline finish(request) {
  if
  :: was_claimed ->
    atomic {
      is_mine = !replied[request];
#ifdef BUG_TWO_REPLIES
      is_mine = true;
#endif
      replied[request] = true
    }
  :: else -> is_mine = true
  fi;
  if
  :: is_mine -> append(request)
  :: else -> works = true
  fi;
  is_mine = false
}

// ServerCore::serve() and handle().
proctype Serve(byte me) {
  byte request = NONE;
  bool works, sends, over, was_claimed, is_mine, goes_on, gave_away, paused;
  atomic { serves[me] -> assert(reader == NONE); reader = me };
  flush();
  goes_on = works;
  do
  :: !goes_on -> break
  :: atomic { goes_on && unread != 0 ->  // next_message()
      assert(reader == me);
      request = REQUESTS - unread;
      unread--
    };
    atomic { alive[request] = true; running[me] = 2 * (request + 1) };  // Worker::begin()
    // handler_.run()
    !(last && request == 0) || (sent & ALL_BUT_FIRST) == ALL_BUT_FIRST || failed;
    stop_running();
    finish(request);
    goes_on = works;
    if
    :: was_claimed ->  // end_slow()
#ifdef BUG_ERASES_FIRST
      atomic { over = IS_OVER; slow[request] = false; over = !over && IS_OVER };
      flush();
#else
      flush();
      atomic { over = IS_OVER; slow[request] = false; over = !over && IS_OVER };
#endif
      close_if(over);
      if
      :: handed_over[request] -> goes_on = false; gave_away = true
      :: else
      fi
    :: else
    fi;
    atomic {
      assert(!slow[request]);
      alive[request] = false;
      request = NONE;
      was_claimed = false;
      paused = false
    };
    if
    :: gave_away -> goto returns  // Outcome::handed_over
    :: else
    fi
  :: atomic { goes_on && (unread == 0 || broken) -> goes_on = false };  // receive(): the end
    flush()
  :: goes_on && unread != 0 && !paused ->  // the next one is not there yet
    flush();
    goes_on = works;
    paused = true
  od;
  // end_input()
  atomic {
    assert(reader == me && !input_ended);
    reader = NONE;
    over = IS_OVER;
    input_ended = true;
    over = !over && IS_OVER
  };
  close_if(over);
returns:
  atomic { threads--; works = false; gave_away = false }
}

// reply_late()'s task.
proctype LateReply(byte request) {
  bool works, sends, over;
  replies_late[request];
  append(request);
  flush();
  atomic { over = IS_OVER; late_replies--; over = !over && IS_OVER };
  close_if(over);
  atomic { threads--; works = false }
}

// ---- The monitor: Monitor::look_at() of one worker after another, when there is something to do.
#define CALL_OF(w) (running[w] / 2 - 1)
#ifdef LIMITS
#define IS_LATE(call) (!replied[call])
#else
#define IS_LATE(call) false
#endif
#define TO_DO(w) (running[w] != 0 && \
  (!(running[w] & CLAIMED) || !handed_over[CALL_OF(w)] || IS_LATE(CALL_OF(w))))

active proctype Monitor() {
  byte w, call = NONE, seen;
  bool ours, may;
  do
  :: atomic {  // Worker::look()
      if
      :: TO_DO(0) -> w = 0
      :: TO_DO(1) -> w = 1
#if REQUESTS > 1
      :: TO_DO(2) -> w = 2
#endif
#if REQUESTS > 2
      :: TO_DO(3) -> w = 3
#endif
      fi;
      seen = running[w]
    };
    held[w] = true;  // Worker::claim()
    atomic {
      if
      :: running[w] == seen ->
        call = seen / 2 - 1;
        ours = !(seen & CLAIMED);
        running[w] = seen | CLAIMED
      :: else
      fi;
      seen = 0
    };
    if
    :: ours -> atomic { assert(alive[call]); slow[call] = true; ours = false }  // call.claim()
    :: else
    fi;
    if
    :: call != NONE ->  // ServerCore::attend()
      // expire()
      if
      :: atomic { IS_LATE(call) ->
          assert(alive[call]);
          replied[call] = true;
          late_replies++
        };
        // reply_late()
        if
        :: atomic { threads++; replies_late[call] = true }
#ifdef NO_THREADS
        :: atomic { broken = true; failed = true };  // abort()
#ifndef BUG_LATE_FOR_EVER
          late_replies--
#endif
#endif
        fi
      :: true  // not yet, or it has replied
      fi;
#ifdef FEW
      may = SLOW_CALLS < 2;
#else
      may = true;
#endif
      if
      :: may && !handed_over[call] ->
        atomic {  // hand_over()
          assert(alive[call] && reader == w);
          handed_over[call] = true;
          reader = NONE
        };
        // pool_.run()
        if
        :: atomic { threads++; serves[workers] = true; workers++ }
#ifdef NO_THREADS
        :: atomic {
#ifndef BUG_NO_TAKE_BACK
            handed_over[call] = false;  // take_back()
#endif
            reader = w
          }
#endif
        fi
      :: else
      fi;
      assert(alive[call])
    :: else
    fi;
    held[w] = false;
    call = NONE;
    w = 0
  od
}

#ifdef BREAKS
active proctype Peer() {
  if
  :: atomic { broken = true; failed = true }
  :: true
  fi
}
#endif

// When nothing can move any more, everything has come to its end.
active proctype Judge() {
  byte c;
  timeout;
  assert(threads == 0);
  assert(closed == 1);
  assert(reader == NONE && input_ended && SLOW_CALLS == 0 && late_replies == 0);
  for (c : 0 .. REQUESTS - 1) {
    assert(!alive[c]);
    assert(failed || (replies[c] == 1 && (sent & (1 << c))))
  }
}

init {
  byte c;
  atomic {
    unread = REQUESTS;
#ifndef FEW
    if
    :: last = true
    :: true
    fi;
#endif
    for (c : 0 .. WORKERS - 1) {
      run Serve(c)
    };
#ifdef LIMITS
    for (c : 0 .. REQUESTS - 1) {
      run LateReply(c)
    };
#endif
    serves[0] = true
  }
}
