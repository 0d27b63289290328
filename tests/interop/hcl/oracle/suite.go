//go:build suite

// Keeps what the conformance suite's runner needs among the requirements; see ../specsuite.py.
package main

import _ "github.com/hashicorp/hcl/v2/cmd/hclspecsuite"
