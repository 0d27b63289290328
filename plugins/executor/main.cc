// drover-executor: started by a driver plugin with the descriptors of wire.h, no arguments and no environment.
#include "plugins/executor/executor.h"

int main() {
  static drover::executor::Executor executor;
  return executor.run();
}
