#include "server/raft/core.h"

#include <raft.h>
#include <stdlib.h>
#include <string.h>

struct drover_raft {
  struct raft raft;
};

static void no_trace(struct raft_tracer* tracer, int type, const void* info) {
  (void)tracer;
  (void)type;
  (void)info;
}
static struct raft_tracer silent = {.impl = NULL, .version = 2, .emit = no_trace};

drover_raft* drover_raft_open(uint64_t id, const char* address, const drover_raft_tuning* tuning) {
  drover_raft* self = calloc(1, sizeof *self);
  if (self == NULL) return NULL;
  if (raft_init(&self->raft, NULL, NULL, id, address) != 0) {
    free(self);
    return NULL;
  }
  self->raft.tracer = &silent;
  raft_seed(&self->raft, tuning->seed);
  raft_set_election_timeout(&self->raft, tuning->election_ms);
  raft_set_heartbeat_timeout(&self->raft, tuning->heartbeat_ms);
  raft_set_install_snapshot_timeout(&self->raft, tuning->install_ms);
  raft_set_max_inflight_entries(&self->raft, tuning->max_inflight);
  raft_set_pre_vote(&self->raft, true);
  return self;
}

void drover_raft_close(drover_raft* self) {
  if (self == NULL) return;
  raft_close(&self->raft, NULL);
  free(self);
}

/* The data of all entries in one allocation, as libraft wants it: entries[0].batch owns everything. */
static int copy_entries(const drover_raft_entry* from, uint32_t count, struct raft_entry** out) {
  size_t size = 1;
  *out = NULL;
  if (count == 0) return 0;
  for (uint32_t i = 0; i < count; ++i) size += (from[i].size + 7u) & ~(size_t)7u;
  struct raft_entry* entries = raft_calloc(count, sizeof *entries);
  char* batch = raft_malloc(size);
  if (entries == NULL || batch == NULL) {
    raft_free(entries);
    raft_free(batch);
    return RAFT_NOMEM;
  }
  char* at = batch;
  for (uint32_t i = 0; i < count; ++i) {
    entries[i].term = from[i].term;
    entries[i].type = (enum raft_entry_type)from[i].type;
    entries[i].buf.base = at;
    entries[i].buf.len = from[i].size;
    entries[i].batch = batch;
    if (from[i].size != 0) memcpy(at, from[i].data, from[i].size);
    at += (from[i].size + 7u) & ~(size_t)7u;
  }
  *out = entries;
  return 0;
}

/* libraft's decoder trusts the number of servers and the ends of their addresses. */
static bool is_whole(const uint8_t* at, size_t size) {
  uint64_t count = 0;
  if (size < 9) return false;
  memcpy(&count, at + 1, sizeof count);
  at += 9;
  size -= 9;
  for (; count > 0; --count) {
    if (size < 10) return false;
    const uint8_t* end = memchr(at + 8, 0, size - 9);
    if (end == NULL) return false;
    size -= (size_t)(end + 2 - at);
    at = end + 2;
  }
  return true;
}

static int decode(const void* data, size_t size, struct raft_configuration* out) {
  const struct raft_buffer buffer = {.base = (void*)(uintptr_t)data, .len = size};
  raft_configuration_init(out);
  if (!is_whole(data, size)) return RAFT_MALFORMED;
  const int code = raft_configuration_decode(&buffer, out);
  if (code != 0) raft_configuration_close(out);
  return code;
}

static int to_metadata(const drover_raft_snapshot* from, struct raft_snapshot_metadata* out) {
  out->index = from->index;
  out->term = from->term;
  out->configuration_index = from->configuration_index;
  return decode(from->configuration, from->configuration_size, &out->configuration);
}

/* libraft only looks at fields such as pre_vote when the message says that its sender knew them. All our members do. */
enum { VERSION_WITH_PRE_VOTE = 2, VERSION_WITH_FEATURES = 2 };

static int to_message(const drover_raft_message* from, struct raft_message* out) {
  memset(out, 0, sizeof *out);
  out->type = (enum raft_message_type)from->type;
  out->server_id = from->peer;
  out->server_address = from->peer_address;
  switch (from->type) {
    case DROVER_RAFT_APPEND:
      out->append_entries.term = from->term;
      out->append_entries.prev_log_index = from->index;
      out->append_entries.prev_log_term = from->index_term;
      out->append_entries.leader_commit = from->commit;
      out->append_entries.n_entries = from->entry_count;
      return copy_entries(from->entries, from->entry_count, &out->append_entries.entries);
    case DROVER_RAFT_APPEND_RESULT:
      out->append_entries_result.version = VERSION_WITH_FEATURES;
      out->append_entries_result.term = from->term;
      out->append_entries_result.rejected = from->rejected;
      out->append_entries_result.last_log_index = from->index;
      out->append_entries_result.features = from->features;
      out->append_entries_result.capacity = from->capacity;
      return 0;
    case DROVER_RAFT_VOTE:
      out->request_vote.version = VERSION_WITH_PRE_VOTE;
      out->request_vote.term = from->term;
      out->request_vote.candidate_id = from->candidate;
      out->request_vote.last_log_index = from->index;
      out->request_vote.last_log_term = from->index_term;
      out->request_vote.disrupt_leader = from->disrupt_leader;
      out->request_vote.pre_vote = from->pre_vote;
      return 0;
    case DROVER_RAFT_VOTE_RESULT:
      out->request_vote_result.version = VERSION_WITH_PRE_VOTE;
      out->request_vote_result.term = from->term;
      out->request_vote_result.vote_granted = from->granted;
      out->request_vote_result.pre_vote = from->pre_vote;
      out->request_vote_result.features = from->features;
      out->request_vote_result.capacity = from->capacity;
      return 0;
    case DROVER_RAFT_INSTALL:
      /* The content travels beside the core: it only needs to know that there is one. */
      out->install_snapshot.term = from->term;
      out->install_snapshot.last_index = from->index;
      out->install_snapshot.last_term = from->index_term;
      out->install_snapshot.conf_index = from->commit;
      return decode(from->configuration, from->configuration_size, &out->install_snapshot.conf);
    case DROVER_RAFT_TIMEOUT_NOW:
      out->timeout_now.term = from->term;
      out->timeout_now.last_log_index = from->index;
      out->timeout_now.last_log_term = from->index_term;
      return 0;
    default:
      return RAFT_INVALID;
  }
}

static void from_message(const struct raft_message* from, drover_raft_message* out) {
  memset(out, 0, sizeof *out);
  out->type = (int)from->type;
  out->peer = from->server_id;
  out->peer_address = from->server_address;
  switch (from->type) {
    case RAFT_APPEND_ENTRIES:
      out->term = from->append_entries.term;
      out->index = from->append_entries.prev_log_index;
      out->index_term = from->append_entries.prev_log_term;
      out->commit = from->append_entries.leader_commit;
      out->entry_count = from->append_entries.n_entries;
      break;
    case RAFT_APPEND_ENTRIES_RESULT:
      out->term = from->append_entries_result.term;
      out->rejected = from->append_entries_result.rejected;
      out->index = from->append_entries_result.last_log_index;
      out->features = from->append_entries_result.features;
      out->capacity = from->append_entries_result.capacity;
      break;
    case RAFT_REQUEST_VOTE:
      out->term = from->request_vote.term;
      out->candidate = from->request_vote.candidate_id;
      out->index = from->request_vote.last_log_index;
      out->index_term = from->request_vote.last_log_term;
      out->disrupt_leader = from->request_vote.disrupt_leader;
      out->pre_vote = from->request_vote.pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      out->term = from->request_vote_result.term;
      out->granted = from->request_vote_result.vote_granted;
      out->pre_vote = from->request_vote_result.pre_vote;
      out->features = from->request_vote_result.features;
      out->capacity = from->request_vote_result.capacity;
      break;
    case RAFT_INSTALL_SNAPSHOT:
      out->term = from->install_snapshot.term;
      out->index = from->install_snapshot.last_index;
      out->index_term = from->install_snapshot.last_term;
      out->commit = from->install_snapshot.conf_index;
      break;
    case RAFT_TIMEOUT_NOW:
      out->term = from->timeout_now.term;
      out->index = from->timeout_now.last_log_index;
      out->index_term = from->timeout_now.last_log_term;
      break;
  }
}

static int put_append(const struct raft_update* update, const drover_raft_sink* sink) {
  drover_raft_entry* entries = calloc(update->entries.n, sizeof *entries);
  if (entries == NULL) return RAFT_NOMEM;
  for (unsigned i = 0; i < update->entries.n; ++i) {
    const struct raft_entry* from = &update->entries.batch[i];
    entries[i] = (drover_raft_entry){
        .term = from->term, .type = (int)from->type, .data = from->buf.base, .size = from->buf.len};
  }
  sink->append(sink->context, update->entries.index, entries, update->entries.n);
  free(entries);
  return 0;
}

/* Hands the update to the sink. Takes `received`, the entries of an APPEND message or of a submission. */
static int deliver(drover_raft* self, const struct raft_update* update, const drover_raft_sink* sink, uint32_t* changes) {
  int code = 0;
  if (update->flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR)) *changes |= DROVER_RAFT_SAVE_TERM;
  if (update->flags & RAFT_UPDATE_COMMIT_INDEX) *changes |= DROVER_RAFT_COMMITTED;
  if (update->flags & RAFT_UPDATE_ENTRIES) {
    code = put_append(update, sink);
    /* The barrier a new leader writes by itself is not part of anything that we allocated. */
    if (update->entries.batch == &self->raft.barrier) {
      raft_free(self->raft.barrier.buf.base);
      self->raft.barrier.buf.base = NULL;
    }
  }
  if (update->flags & RAFT_UPDATE_SNAPSHOT) {
    const struct raft_snapshot_metadata* metadata = &update->snapshot.metadata;
    struct raft_buffer encoded;
    if (raft_configuration_encode(&metadata->configuration, &encoded) != 0) return RAFT_NOMEM;
    const drover_raft_snapshot snapshot = {.index = metadata->index,
                                           .term = metadata->term,
                                           .configuration = encoded.base,
                                           .configuration_size = encoded.len,
                                           .configuration_index = metadata->configuration_index};
    sink->install(sink->context, &snapshot);
    raft_free(encoded.base);
    raft_configuration_close((struct raft_configuration*)(uintptr_t)&metadata->configuration);
  }
  if (update->flags & RAFT_UPDATE_MESSAGES) {
    for (unsigned i = 0; i < update->messages.n; ++i) {
      drover_raft_message message;
      from_message(&update->messages.batch[i], &message);
      sink->send(sink->context, &message);
    }
  }
  return code;
}

static int step_start(drover_raft* self, const drover_raft_event* in, struct raft_event* event, const drover_raft_sink* sink,
                      uint32_t* changes) {
  struct raft_update update;
  struct raft_snapshot_metadata metadata;
  struct raft_entry* entries = NULL;
  int code = copy_entries(in->entries, in->entry_count, &entries);
  if (code != 0) return code;
  event->type = RAFT_START;
  event->start.term = in->term;
  event->start.voted_for = in->voted_for;
  event->start.start_index = in->index;
  event->start.entries = entries;
  event->start.n_entries = in->entry_count;
  event->start.metadata = NULL;
  if (in->snapshot != NULL) {
    code = to_metadata(in->snapshot, &metadata);
    event->start.metadata = &metadata; /* the configuration in it becomes libraft's */
  }
  if (code == 0) code = raft_step(&self->raft, event, &update);
  if (code == 0) code = deliver(self, &update, sink, changes);
  if (entries != NULL) raft_free(entries[0].batch);
  raft_free(entries);
  return code;
}

static int step_submit(drover_raft* self, const drover_raft_event* in, struct raft_event* event, const drover_raft_sink* sink,
                       uint32_t* changes) {
  struct raft_update update;
  struct raft_entry* entries = NULL;
  int code = copy_entries(in->entries, in->entry_count, &entries);
  if (code != 0) return code;
  for (uint32_t i = 0; i < in->entry_count; ++i) entries[i].term = raft_current_term(&self->raft);
  event->type = RAFT_SUBMIT;
  event->submit.entries = entries;
  event->submit.n = in->entry_count;
  code = raft_step(&self->raft, event, &update);
  if (code == 0) code = deliver(self, &update, sink, changes);
  raft_free(entries[0].batch);
  raft_free(entries);
  return code;
}

/*
 * libraft lets only a voter of its own configuration vote. But a member learns that it is one by the leader's log, and when the leader
 * is lost before that, or a later change with it, its vote may be needed to elect anybody. Whose votes count is the candidate's
 * affair (Raft, 4.1), so for the length of a question every follower with a log is a voter. One without may have lost its disk: it
 * would elect somebody who lacks what it once confirmed.
 */
static int step_vote(struct raft* raft, struct raft_event* event, struct raft_update* update) {
  if (raft_state(raft) != RAFT_FOLLOWER || raft_last_index(raft) == 0) return raft_step(raft, event, update);
  struct raft_server me = {.id = raft->id, .address = raft->address, .role = RAFT_VOTER};
  const struct raft_configuration kept = raft->configuration;
  raft->configuration.servers = &me;
  raft->configuration.n = 1;
  const int code = raft_step(raft, event, update);
  raft->configuration = kept;
  return code;
}

static int step_receive(drover_raft* self, const drover_raft_event* in, struct raft_event* event,
                        const drover_raft_sink* sink, uint32_t* changes) {
  struct raft_update update;
  struct raft_message message;
  int code = to_message(in->message, &message);
  if (code != 0) return code;
  event->type = RAFT_RECEIVE;
  event->receive.message = &message;
  code = message.type == RAFT_REQUEST_VOTE ? step_vote(&self->raft, event, &update) : raft_step(&self->raft, event, &update);
  if (code == 0) code = deliver(self, &update, sink, changes);
  if (message.type == RAFT_APPEND_ENTRIES && message.append_entries.n_entries > 0) {
    /* libraft frees the data of entries it does not ask to have persisted. */
    struct raft_entry* entries = message.append_entries.entries;
    if (code == 0 && (update.flags & RAFT_UPDATE_ENTRIES)) raft_free(entries[0].batch);
    raft_free(entries);
  }
  return code;
}

int drover_raft_step(drover_raft* self, const drover_raft_event* in, const drover_raft_sink* sink, uint32_t* changes) {
  struct raft_update update;
  struct raft_event event;
  memset(&event, 0, sizeof event);
  event.time = in->now_ms;
  *changes = 0;
  int code = 0;
  switch (in->type) {
    case DROVER_RAFT_START:
      return step_start(self, in, &event, sink, changes);
    case DROVER_RAFT_SUBMIT:
      return step_submit(self, in, &event, sink, changes);
    case DROVER_RAFT_RECEIVE:
      return step_receive(self, in, &event, sink, changes);
    case DROVER_RAFT_PERSISTED:
      event.type = RAFT_PERSISTED_ENTRIES;
      event.persisted_entries.index = in->index;
      break;
    case DROVER_RAFT_INSTALLED:
      event.type = RAFT_PERSISTED_SNAPSHOT;
      event.persisted_snapshot.last = true;
      code = to_metadata(in->snapshot, &event.persisted_snapshot.metadata);
      break;
    case DROVER_RAFT_CONFIGURED:
      event.type = RAFT_CONFIGURATION;
      event.configuration.index = in->index;
      code = decode(in->configuration, in->configuration_size, &event.configuration.conf);
      break;
    case DROVER_RAFT_SNAPSHOT_TAKEN:
      event.type = RAFT_SNAPSHOT;
      event.snapshot.trailing = in->trailing;
      code = to_metadata(in->snapshot, &event.snapshot.metadata);
      break;
    case DROVER_RAFT_TIMEOUT:
      event.type = RAFT_TIMEOUT;
      break;
    case DROVER_RAFT_TRANSFER:
      event.type = RAFT_TRANSFER;
      event.transfer.server_id = in->target;
      break;
    default:
      code = RAFT_INVALID;
  }
  if (code == 0) code = raft_step(&self->raft, &event, &update);
  return code != 0 ? code : deliver(self, &update, sink, changes);
}

uint64_t drover_raft_term(const drover_raft* self) { return raft_current_term(&self->raft); }
uint64_t drover_raft_voted_for(const drover_raft* self) { return raft_voted_for(&self->raft); }
uint64_t drover_raft_commit_index(const drover_raft* self) { return raft_commit_index(&self->raft); }
uint64_t drover_raft_last_index(drover_raft* self) { return raft_last_index(&self->raft); }
uint64_t drover_raft_deadline_ms(const drover_raft* self) { return raft_timeout(&self->raft); }
int drover_raft_state(drover_raft* self) { return (int)raft_state(&self->raft); }
bool drover_raft_installing(const drover_raft* self) { return self->raft.snapshot.installing; }
uint64_t drover_raft_uncommitted_change(const drover_raft* self) { return self->raft.configuration_uncommitted_index; }
uint64_t drover_raft_match_index(const drover_raft* self, uint64_t id) {
  raft_index index = 0;
  if (self->raft.state != RAFT_LEADER || raft_match_index(&self->raft, id, &index) != 0) return 0;
  return index;
}

uint64_t drover_raft_leader(drover_raft* self, const char** address) {
  raft_id id = 0;
  const char* text = NULL;
  raft_leader(&self->raft, &id, &text);
  *address = text == NULL ? "" : text;
  return id;
}

const char* drover_raft_error_text(int code) { return raft_strerror(code); }
int drover_raft_code_not_leader(void) { return RAFT_NOTLEADER; }

int drover_raft_encode_configuration(const drover_raft_server* servers, size_t count, void* context,
                                     void (*put)(void*, const void*, size_t)) {
  struct raft_configuration configuration;
  struct raft_buffer encoded;
  int code = 0;
  raft_configuration_init(&configuration);
  for (size_t i = 0; i < count && code == 0; ++i) {
    code = raft_configuration_add(&configuration, servers[i].id, servers[i].address, servers[i].role);
  }
  if (code == 0) code = raft_configuration_encode(&configuration, &encoded);
  if (code == 0) {
    put(context, encoded.base, encoded.len);
    raft_free(encoded.base);
  }
  raft_configuration_close(&configuration);
  return code;
}

int drover_raft_decode_configuration(const void* data, size_t size, void* context,
                                     void (*put)(void*, const drover_raft_server*)) {
  struct raft_configuration configuration;
  const int code = decode(data, size, &configuration);
  if (code != 0) return code;
  for (unsigned i = 0; i < configuration.n; ++i) {
    const drover_raft_server server = {.id = configuration.servers[i].id,
                                       .address = configuration.servers[i].address,
                                       .role = configuration.servers[i].role};
    put(context, &server);
  }
  raft_configuration_close(&configuration);
  return 0;
}
