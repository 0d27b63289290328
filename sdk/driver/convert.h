// The driver interface's values to and from their protobuf messages. Included only by this folder's .cc files.
//
// Reading tolerates any absent sub-message; writing fills every one, because peers written in Go crash otherwise (5.1).
#pragma once

#include <base.pb.h>
#include <batch_stats.pb.h>
#include <driver.pb.h>

#include "sdk/driver/client.h"
#include "sdk/driver/driver.h"

namespace drover::driver {

namespace pb = hashicorp::nomad::plugins::drivers::proto;
inline constexpr const char* batch_stats_path = "/drover.plugins.drivers.BatchStats/AllTaskStats";

[[nodiscard]] std::chrono::nanoseconds read(const known::Duration& in);
void write(std::chrono::nanoseconds in, known::Duration& out);
// Go's zero time (year 1) and 0 are "unset" and read as 0.
[[nodiscard]] std::int64_t read(const known::Timestamp& in);
void write(std::int64_t unix_nanos, known::Timestamp& out);

[[nodiscard]] Fingerprint read(const pb::FingerprintResponse& in);
void write(const Fingerprint& in, pb::FingerprintResponse& out);
[[nodiscard]] Capabilities read(const pb::DriverCapabilities& in);
void write(const Capabilities& in, pb::DriverCapabilities& out);
[[nodiscard]] NetworkIsolation read(const pb::NetworkIsolationSpec& in);
void write(const NetworkIsolation& in, pb::NetworkIsolationSpec& out);
[[nodiscard]] TaskConfig read(const pb::TaskConfig& in);
void write(const TaskConfig& in, pb::TaskConfig& out);
[[nodiscard]] TaskHandle read(const pb::TaskHandle& in);
void write(const TaskHandle& in, pb::TaskHandle& out);
[[nodiscard]] DriverNetwork read(const pb::NetworkOverride& in);
void write(const DriverNetwork& in, pb::NetworkOverride& out);
[[nodiscard]] ExitResult read(const pb::ExitResult& in);
void write(const ExitResult& in, pb::ExitResult& out);
[[nodiscard]] TaskStatus read(const pb::InspectTaskResponse& in);
void write(const TaskStatus& in, pb::InspectTaskResponse& out);
[[nodiscard]] TaskStats read(const pb::TaskStats& in);
void write(const TaskStats& in, pb::TaskStats& out);
[[nodiscard]] TaskEvent read(const pb::DriverTaskEvent& in);
void write(const TaskEvent& in, pb::DriverTaskEvent& out);

void write(const plugin::NodeTopology& in, hashicorp::nomad::plugins::base::proto::NomadDriverConfig& out);

}  // namespace drover::driver
