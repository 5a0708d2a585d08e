-- Answers a batch of requests (callcache.json(5), Commands): leads by normalised phone and organisation. What was asked
-- comes in as data, never as text of a query.
create temp table asked (line jsonb);
\copy asked from pstdin with (format csv, quote e'\x01', delimiter e'\x02')
select json_build_object('id', line->'id', 'value', row_to_json(leads))
from asked
join leads on leads.phone = line->'vars'->>'phone' and leads.organization_id::text = line->'vars'->>'organizationId';
