// Package bom writes bills of materials: what a system or an extension is made of, in
// the formats SPDX 2.3 and CycloneDX 1.6.
//
// The one idea: one value is written in two formats, without the time of a clock or random
// numbers, so the same bill gives the same bytes.
package bom
