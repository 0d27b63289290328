//go:build tools

// Keeps the generators in go.mod, so that everybody generates with the same ones.
package main

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)
