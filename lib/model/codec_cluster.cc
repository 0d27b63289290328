#include "lib/model/cluster.h"
#include "lib/model/reflect.inc.h"

using namespace drover::model;

DROVER_MODEL_CODEC(RaftHello)
DROVER_MODEL_CODEC(RaftInstallHello)
DROVER_MODEL_CODEC(ServerInfo)
DROVER_MODEL_CODEC(ServerInfoRequest)
DROVER_MODEL_CODEC(ClusterBootstrapRequest)
DROVER_MODEL_CODEC(ServerJoinRequest)
DROVER_MODEL_CODEC(ServerJoinReply)
DROVER_MODEL_CODEC(RaftPeerRequest)
DROVER_MODEL_CODEC(AutopilotConfiguration)
DROVER_MODEL_CODEC(AutopilotReply)
DROVER_MODEL_CODEC(AutopilotSetRequest)
DROVER_MODEL_CODEC(AutopilotSetReply)
DROVER_MODEL_CODEC(ClusterHealth)
DROVER_MODEL_CODEC(ServerHealth)
DROVER_MODEL_CODEC(SnapshotSaveRequest)
DROVER_MODEL_CODEC(SnapshotHead)
DROVER_MODEL_CODEC(SnapshotRestoreRequest)
