-- Argo CD's health of every kind of modelpolicy.dev. kustomization.yaml beside it puts it in place.
-- What waits for a person or a time is Suspended: it is neither broken nor done.
local health = { status = "Progressing", message = "Waiting for the operator" }
if obj.status == nil or obj.status.conditions == nil then
  return health
end
if obj.status.observedGeneration ~= nil and obj.metadata.generation ~= nil
    and obj.status.observedGeneration < obj.metadata.generation then
  health.message = "Waiting for the operator to look at the latest change"
  return health
end
local waits = {
  ManualActionRequired = true, TicketRequired = true, ConsentRequired = true, CoolingDown = true, Paused = true,
}
local stalled, drifted, moving = false, false, false
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Paused" and condition.status == "True" then
    return { status = "Suspended", message = condition.message }
  end
  if condition.type == "Stalled" and condition.status == "True" then
    stalled = true
  end
  drifted = drifted or (condition.type == "Drifted" and condition.status == "True")
  moving = moving or (condition.type == "Reconciling" and condition.status == "True")
end
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Ready" then
    health.message = condition.reason .. ": " .. condition.message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif waits[condition.reason] then
      health.status = "Suspended"
    elseif stalled or (drifted and not moving) then -- what is only observed is mended by nobody
      health.status = "Degraded"
    end
  end
end
return health
