// Package bom writes bills of materials: what a system or an extension is made of, in
// the formats SPDX 2.3 and CycloneDX 1.6.
//
// The one idea: one value is written in two formats, and nothing in either of them is from
// a clock or by chance, so the same bill gives the same bytes.
package bom
