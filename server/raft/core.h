/* libraft's I/O-free core behind a plain C interface that C++ can include (its own header does not compile as C++).
 *
 * One event goes in, what must be done comes out through the sink while drover_raft_step runs: entries to make durable,
 * messages to send, a snapshot to install. Memory is copied at this boundary, so nobody else has to know libraft's ownership
 * rules. No clock, no I/O, no threads; one owner. Configurations travel as libraft's own encoding of them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct drover_raft drover_raft;

enum { DROVER_RAFT_COMMAND = 1, DROVER_RAFT_BARRIER = 2, DROVER_RAFT_CHANGE = 3 };
enum {
  DROVER_RAFT_APPEND = 1,
  DROVER_RAFT_APPEND_RESULT,
  DROVER_RAFT_VOTE,
  DROVER_RAFT_VOTE_RESULT,
  DROVER_RAFT_INSTALL,
  DROVER_RAFT_TIMEOUT_NOW,
};
enum { DROVER_RAFT_FOLLOWER = 1, DROVER_RAFT_CANDIDATE = 2, DROVER_RAFT_LEADER = 3 };
enum { DROVER_RAFT_STANDBY = 0, DROVER_RAFT_VOTER = 1, DROVER_RAFT_SPARE = 2 };
/* What a step changed. */
enum { DROVER_RAFT_SAVE_TERM = 1, DROVER_RAFT_COMMITTED = 2 };

typedef struct {
  uint64_t term;
  int type;
  const void* data;
  size_t size;
} drover_raft_entry;

typedef struct {
  uint64_t id;
  const char* address;
  int role;
} drover_raft_server;

typedef struct {
  uint64_t index;
  uint64_t term;
  const void* configuration;
  size_t configuration_size;
  uint64_t configuration_index;
} drover_raft_snapshot;

/* One flat record for all six kinds; the fields a kind does not use are zero. */
typedef struct {
  int type;
  uint64_t peer; /* receiver when sent, sender when received */
  const char* peer_address;
  uint64_t term;
  uint64_t index;      /* prev_log_index, last_log_index, snapshot index */
  uint64_t index_term; /* term of the entry at index */
  uint64_t commit;     /* leader_commit, configuration index of a snapshot */
  uint64_t rejected;
  uint64_t candidate;
  bool disrupt_leader;
  bool pre_vote;
  bool granted;
  uint16_t features;
  uint16_t capacity;
  const drover_raft_entry* entries; /* received APPEND only; a sent one names a range of the sender's log */
  uint32_t entry_count;
  const void* configuration; /* received INSTALL only */
  size_t configuration_size;
} drover_raft_message;

typedef struct {
  void* context;
  /* Entries from `first` on replace whatever the log holds there and after. */
  void (*append)(void* context, uint64_t first, const drover_raft_entry* entries, uint32_t count);
  void (*send)(void* context, const drover_raft_message* message);
  void (*install)(void* context, const drover_raft_snapshot* snapshot);
} drover_raft_sink;

enum {
  DROVER_RAFT_START = 1,
  DROVER_RAFT_RECEIVE,
  DROVER_RAFT_PERSISTED,
  DROVER_RAFT_INSTALLED,
  DROVER_RAFT_CONFIGURED,
  DROVER_RAFT_SNAPSHOT_TAKEN,
  DROVER_RAFT_TIMEOUT,
  DROVER_RAFT_SUBMIT,
  DROVER_RAFT_TRANSFER,
};

typedef struct {
  int type;
  uint64_t now_ms;
  uint64_t term;                        /* START */
  uint64_t voted_for;                   /* START */
  uint64_t index;                       /* START: first entry; PERSISTED: last; CONFIGURED: of the entry */
  uint64_t target;                      /* TRANSFER; 0 chooses */
  const drover_raft_entry* entries;     /* START, SUBMIT (term is filled in) */
  uint32_t entry_count;
  const drover_raft_snapshot* snapshot; /* START (or null), INSTALLED, SNAPSHOT_TAKEN */
  uint32_t trailing;                    /* SNAPSHOT_TAKEN: entries kept before the snapshot */
  const void* configuration;            /* CONFIGURED */
  size_t configuration_size;
  const drover_raft_message* message;   /* RECEIVE */
} drover_raft_event;

typedef struct {
  uint32_t heartbeat_ms;
  uint32_t election_ms;
  uint32_t install_ms;
  uint32_t max_inflight;
  uint32_t seed;
} drover_raft_tuning;

/* Null when memory is exhausted. */
drover_raft* drover_raft_open(uint64_t id, const char* address, const drover_raft_tuning* tuning);
void drover_raft_close(drover_raft* raft);
/* 0 and the DROVER_RAFT_SAVE_TERM.. flags in `changes`, or libraft's error code. */
int drover_raft_step(drover_raft* raft, const drover_raft_event* event, const drover_raft_sink* sink, uint32_t* changes);

uint64_t drover_raft_term(const drover_raft* raft);
uint64_t drover_raft_voted_for(const drover_raft* raft);
uint64_t drover_raft_commit_index(const drover_raft* raft);
uint64_t drover_raft_last_index(drover_raft* raft);
uint64_t drover_raft_deadline_ms(const drover_raft* raft);
int drover_raft_state(drover_raft* raft);
bool drover_raft_installing(const drover_raft* raft);
/* Of the configuration change in the log that is not known to be committed; 0 without one. */
uint64_t drover_raft_uncommitted_change(const drover_raft* raft);
/* Last entry known to be on the disk of `id`; 0 unless this member leads and knows it. */
uint64_t drover_raft_match_index(const drover_raft* raft, uint64_t id);
/* 0 and an empty address when no leader is known. The text lives until the next step. */
uint64_t drover_raft_leader(drover_raft* raft, const char** address);
const char* drover_raft_error_text(int code);
int drover_raft_code_not_leader(void);

/* Calls `put` once with the encoded configuration. */
int drover_raft_encode_configuration(const drover_raft_server* servers, size_t count, void* context,
                                     void (*put)(void* context, const void* data, size_t size));
int drover_raft_decode_configuration(const void* data, size_t size, void* context,
                                     void (*put)(void* context, const drover_raft_server* server));

#ifdef __cplusplus
}
#endif
