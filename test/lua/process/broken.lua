error("the top level fails")
