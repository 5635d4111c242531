// Package chart draws the picture of an incident: the last day of one operation as a PNG that a supervisor can read at a
// glance on a telephone.
//
// For a rule on results the plot is a stack of shares, the alerting results at the bottom in a strong colour, the others
// muted above; a strip below shows how many calls there were, so that 44 % of nine calls is seen to be little. For a rule
// on something else the plot is the volume. The window that the message is about is framed, threshold and usual value are
// lines with their values at the axis, and a bar below the plot lasts as long as the incident. What is not known is
// hatched, what is known to be no calls is blank.
//
// There are at most 300 columns. Windows that are shorter than one are pooled: their calls are summed and volumes are
// means, so that one bad window of ten seconds is seen as part of its five minutes; its frame is then that column's. A
// column of which less than half is known is not known.
//
// A picture depends on the [Chart] alone: no clock, no environment, no fonts of the machine. All places are computed in
// integers, and glyphs in fixed point from curves that are flattened in integers, so that the pixels are the same on every
// architecture (see glyphs.go). Only the compression may differ between versions of Go.
package chart
