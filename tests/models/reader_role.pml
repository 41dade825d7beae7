// geerpc: typed RPC, service discovery and load balancing for C++17
// SPDX-License-Identifier: MIT
//
// Who reads a client's connection: a model of include/geerpc/client/reading_half.hpp,
// connection.hpp and background.hpp. Each step names the code that it stands for.
//
// What is code under the connection's mutex, or the background's, is one atomic step here: nothing
// that it touches is touched without that mutex, but for what the model does in steps of its own.
// Time is a choice: a wait that has an end may end at any moment at which it could not go on.
//
// Checked: each call is completed exactly once, by its reply, its deadline, its cancellation or the
// connection's end; one thread reads at a time; no thread touches a call whose caller has left; a
// connection that we close is never said to have been lost; and at the end, when nothing can move
// any more, nobody waits, no call or request is forgotten and a background thread that is to end
// has ended.
//
// Left out: a socket that takes no more, calls that wait for a connection, callbacks.
//
// Sizes, given with -D: SYNC callers, ASYNC futures with their owners (both: at most 3 calls). And
// what may happen: CANCEL, FAIL (of the connection), PROBE (somebody asks whether it is alive after
// a silence), EAGER (there are callbacks), DEFER (requests wait for others to leave with). ALONE:
// nobody waits for a future.

#ifndef SYNC
#define SYNC 2
#endif
#ifndef ASYNC
#define ASYNC 0
#endif
#define CALLS (SYNC + ASYNC)
#define NONE 255

// ---- The connection.

// What a request and its reply go through, seen from the client's socket.
#define NEW 0       // not written yet
#define QUEUED 1    // in the outbox
#define SENT 2      // the server has it
#define READABLE 3  // its reply is in our socket
#define READ 4      // and read; or there never will be one
byte wire[CALLS];
bool eof;     // the stream has ended
bool broken;  // writing fails: Outbox::error_
bool cut;     // and not because we have sealed it

// Call, guarded by ReadingHalf::mutex_.
bool pending[CALLS];
bool decoding[CALLS];
bool done[CALLS];
bool cancelled[CALLS];
bool ready[CALLS];     // its thread sleeps and is in Sleepers
bool sleeping[CALLS];  // it sleeps, and nobody has taken it
bool notified[CALLS];  // it was taken, and woken
bool to_read[CALLS];   // to read
bool timed[CALLS];     // constant: it has a deadline
bool wakeable[CALLS];  // constant: it has a cancel token
bool gone[CALLS];      // its caller has left, and the caller's stack with it

// ReadingHalf.
bool reading;
bool background_reads;
bool turned;  // turns_ != turns_at_last_look_
bool turned_since[CALLS];  // the same, for a deputy
bool dead;
byte death;   // death_: why dead, or about to be
bool waker;   // a byte is in the waker's pipe
bool may_defer = true;

// Background.
bool poked;
bool asleep = true;
bool eager;

// CallbackThread.
bool callback_asleep = true;
bool callback_reads;
bool callback_asked;
bool callback_posted;

bool knows_reader;       // Background::reading_ != nullptr
bool to_give_up[CALLS];  // cancelled_
bool stopping;           // close() waits for the thread to end
bool running = true;

// The model's own.
byte readers;  // threads between the taking of the reader's role and its end
byte left;     // threads that have what they came for

#if CALLS == 3
#define ANY(what) (what[0] || what[1] || what[2])
#elif CALLS == 2
#define ANY(what) (what[0] || what[1])
#else
#define ANY(what) (what[0])
#endif
#if CALLS == 3
#define ANY_READABLE (wire[0] == READABLE || wire[1] == READABLE || wire[2] == READABLE)
#elif CALLS == 2
#define ANY_READABLE (wire[0] == READABLE || wire[1] == READABLE)
#else
#define ANY_READABLE (wire[0] == READABLE)
#endif

// PendingCalls::async_calls() != 0; the asynchronous calls are the last ones.
#if ASYNC == 2
#define ASYNC_CALLS (pending[CALLS - 1] || pending[CALLS - 2])
#elif ASYNC == 1
#define ASYNC_CALLS (pending[CALLS - 1])
#else
#define ASYNC_CALLS false
#endif

// ---- With the mutex held: called in atomic steps.

// Call::wake(). That a sleeper is woken a moment after it was taken is left out: it waits for that.
inline wake(call) {
  if
  :: sleeping[call] -> sleeping[call] = false; ready[call] = false; notified[call] = true
  :: else
  fi
}

// PendingCalls::complete(); with it Call::wake().
inline complete(call) {
  assert(pending[call]);
  assert(!done[call]);
  pending[call] = false;
  done[call] = true;
  callback_posted = callback_posted || (call >= SYNC && eager);
  wake(call)
}

// Background::wake(): the condition variable's predicate is the flag.
inline wake_background() {
  poked = true;
  if
  :: knows_reader -> waker = true
  :: else
  fi
}

// Sleepers::wake_last(). That no choice is wrong is more than we need.
inline wake_last() {
  if
  :: ready[0] -> to_read[0] = true; wake(0)
#if CALLS > 1
  :: ready[1] -> to_read[1] = true; wake(1)
#endif
#if CALLS > 2
  :: ready[2] -> to_read[2] = true; wake(2)
#endif
  fi
}

// ReadingHalf::wake_next_reader(), and Background::attend(false).
inline wake_next_reader() {
#ifndef BUG_NO_WAKE
  if
  :: reading || dead
  :: else ->
    if
    :: ANY(ready) -> wake_last()
    :: else ->
      if  // a thread that is awake finds out by itself
      :: ASYNC_CALLS && asleep -> wake_background()
      :: else
      fi
    fi
  fi
#else
  skip
#endif
}

// Turn: the constructor.
inline take_role() {
  assert(!reading);
  reading = true;
  turned = true;
  turned_since[0] = true;
#if CALLS > 1
  turned_since[1] = true;
#endif
#if CALLS > 2
  turned_since[2] = true;
#endif
  readers++;
  assert(readers == 1)
}
// Turn::end(). The reader counts as one until here.
inline leave_role() {
  assert(reading);
  reading = false;
  readers--
}

// Outbox::flush(): all that is queued leaves. (That a socket may be full is left out.)
#define FLUSHED(c) (wire[c] == QUEUED && !broken -> SENT : wire[c])
inline flush_queue() {
#if CALLS > 2
  wire[2] = FLUSHED(2);
#endif
#if CALLS > 1
  wire[1] = FLUSHED(1);
#endif
  wire[0] = FLUSHED(0)
}

// ---- Without the mutex.

// ReadingHalf::set_death()
#define LOST 1    // the socket said so
#define CLOSED 2  // Channel::close()
inline set_death(why) {
  atomic {
    if
    :: death == 0 -> assert(why == CLOSED || eof || cut); death = why
    :: else
    fi
  }
}

// ClientConnection::fail(), with end_all() in it.
inline fail(why) {
#ifdef BUG_SEALS_FIRST
  broken = true;
  set_death(why);
#else
  set_death(why);
  broken = true;  // outbox_.seal()
#endif
  atomic {
    if
    :: dead
    :: else ->
      assert(death != 0);
      dead = true;
      i = 0;
      do
      :: i < CALLS ->
        if
        :: pending[i] && !decoding[i] -> complete(i)
#ifdef BUG_FAILS_DECODING
        :: pending[i] && decoding[i] -> complete(i)
#endif
        :: else
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      waker = true
    fi
  };
  eof = true  // socket_.shutdown()
}

// write_cancel() takes along what else is queued.
inline write_cancel() {
  atomic { flush_queue() }
}

// ClientConnection::abandon(). The server hears of it; whether it answers all the same is its own
// affair, see Server. A thread that waits for the call may be reading just now, and polls.
inline abandon(call) {
  atomic {
    if
    :: pending[call] && !decoding[call] ->
      complete(call);
#ifndef BUG_ABANDON_IN_SILENCE
      if
      :: reading -> waker = true
      :: else
      fi;
#endif
      took = true
    :: else -> took = false
    fi
  };
  if
  :: took -> write_cancel()
  :: else
  fi;
  took = false
}

// ReadingHalf::dispatch() of the reply to `r`, for a reader that waits for `own` or for nothing.
inline dispatch(own) {
  if  // complete(*own): first things first
  :: atomic { own_here ->
      own_here = false;
      if
      :: pending[own] -> complete(own)
      :: else
      fi
    }
  :: !own_here
  fi;
  atomic {
    if
    :: own == r && !done[r] -> own_here = true; r = NONE  // it is decoded without the mutex
    :: !(own == r && !done[r]) && pending[r] && !decoding[r] -> decoding[r] = true
    :: else -> r = NONE  // late
    fi
  };
  if
  :: atomic { r != NONE ->  // it was decoded without the mutex
      assert(!gone[r]);
      decoding[r] = false;
      complete(r);
      r = NONE
    }
  :: r == NONE
  fi
}

// The next reply that came, in any order.
inline take_reply() {
  if
  :: wire[0] == READABLE -> r = 0
#if CALLS > 1
  :: wire[1] == READABLE -> r = 1
#endif
#if CALLS > 2
  :: wire[2] == READABLE -> r = 2
#endif
  fi;
  wire[r] = READ
}

// ReadingHalf::receive(), with ReplyReader::receive() in it, for `own` or NONE. `polls`: it sees
// the waker (wakeable, or the deadline is near); `ends`: there is a deadline. A timeout needs a
// silence, as it does with poll(). A reader that does not poll comes back at each tick of the
// socket's timeout: that matters only if it has something to see then.
inline receive(own, must_poll, ends) {
  if
  :: atomic { waker && (must_poll || ends) -> waker = false }
  :: atomic { !(waker && must_poll) && ANY_READABLE -> take_reply() };
    do
    :: dispatch(own);
      // while (reader_.next()): what else one recv() brought
      if
      :: atomic { ANY_READABLE -> take_reply() }
      :: break
      fi
    od
  :: !(waker && must_poll) && eof -> fail(LOST)
  :: !(waker && must_poll) && ends && !ANY_READABLE && !eof -> in_time = false
  :: !must_poll && own != NONE && done[own]
  fi
}

// Outbox::Result::broken: ClientConnection::fail_from_outbox().
inline fail_from_outbox() {
  atomic {
    if
    :: dead || reading -> took = false
    :: else -> take_role(); took = true
    fi
  };
  if
  :: took ->
    do
    :: !dead && ANY_READABLE || eof || waker -> receive(NONE, true, true)
    :: dead || (!ANY_READABLE && !eof && !waker) -> break
    od;
    atomic { leave_role(); in_time = true; took = false };
    fail(LOST)
  :: else
  fi
}

// ReadingHalf::wait_locked() and what its callers do before they let go of the mutex. The mutex is
// held from a wake-up, or from the end of a turn, until the next sleep, turn or return.
#define COMES 0
#define SLEEPS 1  // sleep(lock, call, until, true)
#define WAITS 2   // the same without an end: another thread decodes its result
#define READS 3
#define LEAVES 4
#define DEPUTY 5  // sleep(lock, call, a moment, false)
inline wait_locked(call, ends, gives_up) {
  state = COMES;
  in_time = true;
  do
  :: atomic {
      (state != SLEEPS && state != WAITS) || notified[call] || (state == SLEEPS && ends);
      deputy = false;
      if
      :: state == SLEEPS && ends && !notified[call] -> in_time = false
      :: (state == SLEEPS || state == WAITS) && notified[call]
      :: state == DEPUTY && notified[call]
      :: state == DEPUTY && !notified[call] ->
        deputy = turned_since[call];
        if
        :: ends -> in_time = false
        :: true
        fi
      :: state == READS ->
        leave_role();  // turn.end()
        if
        :: own_here && pending[call] -> complete(call)
        :: else
        fi;
        own_here = false;
        if
        :: ends -> in_time = false  // in_time && now < until
        :: true
        fi;
        if  // it has read for long, and for others
        :: !done[call] && in_time -> deputy = true; wake_next_reader()
        :: true
        fi
      :: state == COMES
      fi;
      // Who is woken with a result, and not to read, leaves without the mutex.
      unasked = notified[call] && !to_read[call] && done[call];
      sleeping[call] = false;
      ready[call] = false;
      notified[call] = false;
      to_read[call] = false;
      if
      :: unasked ->
        assert(!pending[call] && !decoding[call]);
        took = false;
        in_time = true;
        state = LEAVES
      :: !unasked && deputy && !done[call] && !decoding[call] && in_time && !cancelled[call] ->
        turned_since[call] = false;
        sleeping[call] = true;
        state = DEPUTY
      :: !unasked && (done[call] || (!decoding[call] && (!in_time || cancelled[call]))) ->
        took = false;
        if
        :: gives_up && !done[call] -> complete(call); took = true  // run(): cancelled, or too late
        :: else
        fi;
        assert(!gives_up || (!pending[call] && !decoding[call]));
#ifndef BUG_LEAVES_IN_SILENCE
        wake_next_reader();
#endif
        in_time = true;
        state = LEAVES
#ifdef BUG_LEAVES_DECODING
      :: gives_up && decoding[call] && !in_time ->
        complete(call);
        wake_next_reader();
        state = LEAVES
#endif
      :: !done[call] && decoding[call] ->
        sleeping[call] = true;
        ready[call] = true;
        state = WAITS
      :: !deputy && !done[call] && !decoding[call] && in_time && !cancelled[call] && reading ->
        if  // it gives way
        :: background_reads -> waker = true
        :: else
        fi;
        sleeping[call] = true;
        ready[call] = true;
        state = SLEEPS
      :: !deputy && !done[call] && !decoding[call] && in_time && !cancelled[call] && !reading ->
        take_role();
        state = READS
      fi
    };
    if
    :: state == READS -> receive(call, wakeable[call], ends)
    :: state == LEAVES -> state = COMES; break
    :: else
    fi
  od;
  if
  :: took -> write_cancel()
  :: else
  fi;
  took = false
}

// ReadingHalf::alive(), after a silence.
inline probe() {
  atomic {
    if
    :: dead || reading || ANY(pending) -> took = false
    :: else -> take_role(); took = true
    fi
  };
  if
  :: took ->
    receive(NONE, true, true);
    atomic {
      leave_role();
      in_time = true;
      took = false;
#ifndef BUG_PROBE_IN_SILENCE
      wake_next_reader()
#endif
    }
  :: else
  fi
}

#define LOCALS \
  byte r = NONE, i, state; \
  bool in_time = true, own_here, took, deputy, unasked

// ---- The threads.

// ClientConnection::run(): a synchronous call.
proctype Caller(byte me) {
  LOCALS;
  atomic {  // start()
    if
    :: dead -> took = false
    :: else -> pending[me] = true; took = true
    fi
  };
  if
  :: took ->
    atomic {  // write_request()
      if
      :: !broken -> wire[me] = QUEUED; flush_queue()
      :: broken -> took = false
      fi
    };
    if
    :: !took -> fail_from_outbox()
    :: else -> took = false
    fi;
    wait_locked(me, timed[me], true)
  :: else
  fi;
  atomic { gone[me] = true; left++ }
}

#if ASYNC > 0
// An asynchronous call: Background::start(), and what the owner of its future does.
proctype Owner(byte me) {
  LOCALS;
  bool alone, defer;
#ifdef DEFER
  defer = may_defer;
#endif
  atomic {  // ClientConnection::start()
    if
    :: dead -> took = false
    :: else -> alone = !ANY(pending); pending[me] = true; took = true
    fi
  };
  if
  :: took ->
    atomic {  // write_request()
      if
      :: broken -> took = false
      :: !broken ->
        wire[me] = QUEUED;
        if
        :: defer && !alone
        :: else -> flush_queue()
        fi
      fi;
      alone = false
    };
    if
    :: !took -> fail_from_outbox()
    :: else -> took = false
    fi;
#ifndef BUG_DEFERS_BLINDLY
    if  // Background::send(), at its end
    :: defer && !may_defer -> atomic { flush_queue() }
    :: else
    fi;
#endif
    if  // Background::start(): asleep_, then poke()
    :: asleep -> atomic { wake_background() }
    :: else
    fi;
#ifdef EAGER
    if  // Future::then(): expect_callback()
    :: atomic { !eager -> eager = true; callback_asked = callback_asleep }
    :: true
    fi;
#endif
    if
    :: true  // nobody waits for it
#ifndef ALONE
    :: true ->  // Future::get(): ClientConnection::wait(), which begins with a flush
      atomic { flush_queue() };
      do
      :: done[me] -> break
      :: else ->
        wait_locked(me, timed[me], false);
        if  // its deadline has passed
        :: !done[me] && timed[me] -> abandon(me)
        :: else
        fi
      od
    :: true ->  // Future::wait_for(): comes back early
      atomic { flush_queue() };
      wait_locked(me, true, false)
#endif
    fi
  :: else
  fi;
  atomic { left++ }
}

// Background::run(), from its first poke on. That it sends calls for which there was no connection
// at first is left out.
active proctype Thread() {
  LOCALS;
  bool look_async, look_read, ends, ticks, poked_before;
  byte waited;
end_asleep:
  poked;
  asleep = false;
  do
  :: // Once around the loop. First what was cancelled, see give_up().
    atomic {
      if
      :: stopping -> running = false; break
      :: else -> poked_before = poked; poked = false
      fi
    };
#ifdef CANCEL
    waited = SYNC;
    do
    :: waited < CALLS ->
      if
      :: to_give_up[waited] -> to_give_up[waited] = false; abandon(waited)
      :: else
      fi;
      waited++
    :: else -> break
    od;
#endif
#ifdef PROBE
    probe();  // channel_.current(now)
#endif
    // flush_leftovers() or flush_forgotten()
    atomic {
      if
      :: poked_before -> flush_queue()
      :: true -> flush_queue()
      :: !poked_before  // the bytes have not waited for long
      fi;
      poked_before = false
    };
    // expire(now)
    waited = SYNC;
    do
    :: waited < CALLS ->
      if
      :: timed[waited] && pending[waited] -> abandon(waited)
      :: true
      fi;
      waited++
    :: else -> break
    od;
    waited = 0;
    atomic {  // connection->look()
      look_async = ASYNC_CALLS;
      look_read = reading || turned;
      turned = false
    };
    if
    :: poked
    :: else ->
      if  // now - quiet_since_ > kLinger
      :: !look_async -> eager = false
      :: true
      fi;
      if
      :: atomic { look_async && !look_read && eager && (callback_asleep || callback_reads) ->
          callback_asked = callback_asleep  // ask_to_read()
        };
        took = false
      :: atomic { look_async && !look_read && !(eager && (callback_asleep || callback_reads)) ->
          knows_reader = true
        };
        if
        :: ticks = true
        :: ticks = false
        fi;
        // The deadline: a tick, or that of a call.
        ends = ticks || timed[CALLS - 1] || timed[SYNC];
        atomic {  // read_in_background()
          if
          :: dead || reading -> took = false
          :: else ->
            took = true;
            background_reads = true;
            may_defer = ticks;
            take_role()
          fi
        };
        if
        :: took ->
          if
          :: !ticks -> atomic { flush_queue() }
          :: else
          fi;
          if  // wanted()
          :: !poked -> receive(NONE, true, ends)
#ifdef BUG_NOT_WANTED
          :: poked -> receive(NONE, true, ends)
#else
          :: poked
#endif
          fi;
          in_time = true;
          atomic { flush_queue() };
          atomic {
            leave_role();
            background_reads = false;
            may_defer = true;
            if
            :: ANY(ready) -> wake_last(); took = false  // somebody else reads now
            :: else
            fi
          }
        :: else
        fi;
        knows_reader = false
      :: !(look_async && !look_read) -> took = false
      fi;
      if
      :: took
      :: !took && look_async  // wake_up_.wait_until(a tick)
      :: !took && !look_async  // the same while it lingers
      :: !took && !look_async ->  // sleep()
#ifdef BUG_SLEEPS_BLINDLY
        took = ASYNC_CALLS;
        asleep = true;
#else
        asleep = true;
#ifdef PROBE
        probe();
#endif
        took = ASYNC_CALLS;
#endif
end_sleeps:
        poked || took;
        asleep = false
      fi;
      took = false;
      ticks = false;
      ends = false;
      look_async = false;
      look_read = false
    fi
  od
}
#endif

#ifdef EAGER
// CallbackThread::run(): it reads when it has run callbacks, or is asked to. That a callback takes
// long is nothing else than that this thread takes its time.
active proctype CallbackReader() {
  LOCALS;
  bool ticks, wants;
end_nothing_to_do:
  do
  :: atomic { (wants || callback_asked || callback_posted) ->
      callback_asleep = false;
      callback_asked = false;
      callback_posted = false;
      callback_reads = true
    };
    if
    :: ticks = true
    :: ticks = false
    fi;
    atomic {  // read_in_background()
      if
      :: dead || reading -> took = false
      :: else ->
        took = true;
        background_reads = true;
        may_defer = ticks;
        take_role()
      fi
    };
    if
    :: took ->
      if
      :: !ticks -> atomic { flush_queue() }
      :: else
      fi;
      if  // wanted()
      :: !callback_posted -> receive(NONE, true, true)
      :: callback_posted
      fi;
      in_time = true;
      atomic { flush_queue() };
      atomic {
        leave_role();
        background_reads = false;
        may_defer = true;
        if
        :: ANY(ready) -> wake_last(); took = false
        :: else
        fi
      }
    :: else
    fi;
    atomic {
      wants = took && eager;
      callback_reads = false;
      callback_asleep = !wants;
      took = false;
      ticks = false
    }
  od
}
#endif

// Answers the requests that it has in any order, but perhaps not those that end without it. (It
// need not know that: it may be one that never answers.)
#define MAY_FORGET(c) (eof || done[c] || cancelled[c] || to_give_up[c])
active proctype Server() {
  byte c;
end_serves:
  do
  :: atomic { !eof && wire[0] == SENT -> wire[0] = READABLE }
  :: atomic { wire[0] == SENT && MAY_FORGET(0) -> wire[0] = READ }
#if CALLS > 1
  :: atomic { !eof && wire[1] == SENT -> wire[1] = READABLE }
  :: atomic { wire[1] == SENT && MAY_FORGET(1) -> wire[1] = READ }
#endif
#if CALLS > 2
  :: atomic { !eof && wire[2] == SENT -> wire[2] = READABLE }
  :: atomic { wire[2] == SENT && MAY_FORGET(2) -> wire[2] = READ }
#endif
  od
}

#ifdef CANCEL
// A thread that cancels calls: that of a caller (run(): on_cancel), or of a future
// (Background::cancel()).
active proctype Canceller() {
  byte n, c;
  do
  :: n < CANCEL ->
    n++;
    if
    :: c = 0
#if CALLS > 1
    :: c = 1
#endif
#if CALLS > 2
    :: c = 2
#endif
    fi;
    if
    :: atomic { wakeable[c] && c < SYNC && !gone[c] && !cancelled[c] ->
        cancelled[c] = true;
        wake(c);
#ifndef BUG_CANCEL_IN_SILENCE
        waker = true
#endif
      }
#if ASYNC > 0
    :: atomic { wakeable[c] && c >= SYNC && pending[c] -> to_give_up[c] = true; wake_background() }
#endif
    :: atomic { true -> n = CANCEL; c = 0 }
    fi
  :: else -> break
  od
}
#endif

#ifdef FAIL
// The connection ends: at the server, which just goes, or here (Channel::close()).
active proctype Killer() {
  byte i;
  if
  :: eof = true
  :: atomic { cut = true; broken = true }; eof = true
  :: fail(CLOSED);
#if ASYNC > 0
    atomic {  // Background::close()
      stopping = true;
#ifndef BUG_CLOSES_IN_SILENCE
      wake_background()
#endif
    }
#endif
  :: true
  fi
}
#endif

#ifdef PROBE
// A thread that asks after a silence whether the connection is alive, and then goes: as that of
// Client::notify() does.
active proctype Prober() {
  LOCALS;
  probe()
}
#endif

// When nothing can move any more, nobody waits and nothing is forgotten.
active proctype Judge() {
  byte c;
  timeout;
  assert(left == CALLS);  // implies that nobody waits
  assert(!stopping || !running);
  // The background thread may have been too late to see that there is nothing to read for.
  assert(!reading || background_reads);
  for (c : 0 .. CALLS - 1) {
    assert(!pending[c] && !decoding[c] && !sleeping[c])
  }
}

init {
  byte c, kind;  // 2 * timed + wakeable
  atomic {
    for (c : 0 .. CALLS - 1) {
      if
      :: c == SYNC -> kind = 0
      :: else  // the callers are alike: the order of their kinds makes no difference
      fi;
      if
      :: kind == 0
#ifdef CANCEL
      :: kind <= 1 -> kind = 1
      :: kind <= 3 -> kind = 3
#endif
      :: kind <= 2 -> kind = 2
      fi;
      timed[c] = kind >= 2;
      wakeable[c] = kind & 1;
      if
      :: c < SYNC -> run Caller(c)
#if ASYNC > 0
      :: c >= SYNC -> run Owner(c)
#endif
      fi
    }
  }
}
