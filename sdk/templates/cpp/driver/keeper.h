// The keeper of one task: starts it, waits for it and writes down how it ended. The plugin may die meanwhile, the keeper does not
// notice. It says "ok" or why not on its stdout, then leaves its result in the file "exit" of the directory.
#pragma once

#include <string>

// Returns the exit status of the keeper's process.
int keep(const std::string& directory);
