// Package clouds runs the real gateway against the three clouds that serve
// models, played on loopback: Amazon Bedrock, Azure OpenAI and Google's Vertex
// AI. They take nothing on trust. Signatures are computed anew from Amazon's
// rules, tokens are checked by who gave them, and what is asked in another form
// than the cloud's is refused.
//
// It has tests only. They import nothing of the gateway's but what runs it from
// outside, and the issuer of tokens that other tests have, too.
package clouds
