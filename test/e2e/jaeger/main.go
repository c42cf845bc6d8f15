//go:build tools

// Package tools keeps the Jaeger that `make otel-e2e` builds in go.mod; nothing here is compiled into Perilune.
// v1.76.0 is the last v1 tag; its cmd/jaeger is Jaeger 2.13. The replace in go.mod is that version's own.
package tools

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
