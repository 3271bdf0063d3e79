// Package openaiwire is what OpenAI's two wire protocols, Chat Completions and
// Responses, have in common beyond what all protocols do (package wire): the
// words for errors, usage arithmetic, model lists and the parts of a message.
//
// Everything here reads by scanning (package jsonedit), tolerates what vendors
// add or leave out, and judges nothing: what an error means is for the rules of
// a provider.
package openaiwire
