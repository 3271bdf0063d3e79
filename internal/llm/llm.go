// Package llm is the neutral language the gateway thinks in: a conversation
// with a model, free of any vendor's wire format.
//
// Each protocol package decodes its wire format into these types and encodes
// them back. Nothing here knows HTTP, JSON member names, accounts or vendors.
package llm
