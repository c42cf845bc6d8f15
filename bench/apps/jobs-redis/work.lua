local function main(job)
  return job.quantity * job.price
end

return { main = main }
