-- The chain costs the same however long it is and however long a connection lives.
--
-- A connection keeps the plans of a function. One that was made while these tables were small read
-- them whole, and went on doing so while they grew: after some thousand commits that cost ten times
-- as much as all the rest of an append. These functions look up single rows by index, always.

alter function governance_chain_hop2() set enable_seqscan = off;
alter function governance_chain_hop2() set enable_hashjoin = off;
alter function governance_chain_hop2() set enable_mergejoin = off;
alter function governance_record_change() set enable_seqscan = off;
