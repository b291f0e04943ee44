# What the provider plans, in an empty project: `bash infra/terraform/validate.sh`.

provider "google" {
  project      = "my-project"
  region       = "europe-west4"
  access_token = "nothing is asked of Google"
}

override_data {
  target = data.google_project.this
  values = { number = "123456789012" }
}

variables {
  project = "my-project"
  region  = "europe-west4"
  store   = "studio-images"
  bundles = "studio-bundles"
}

run "gpu_pools_grow_from_zero_to_a_total" {
  command = plan

  variables {
    gpu_pools = {
      l4   = { machine_type = "g2-standard-8", accelerator = "nvidia-l4", max_nodes = 16 }
      a100 = { machine_type = "a2-highgpu-1g", accelerator = "nvidia-tesla-a100", max_nodes = 1, spot = false }
    }
  }

  assert {
    condition = alltrue([
      for name, pool in google_container_node_pool.gpu :
      pool.initial_node_count == 0 && pool.autoscaling[0].total_min_node_count == 0 && pool.autoscaling[0].total_max_node_count == var.gpu_pools[name].max_nodes && pool.autoscaling[0].max_node_count == null
    ])
    error_message = "A GPU pool has to begin without a node and to end at max_nodes in all zones together."
  }

  assert {
    condition     = google_container_node_pool.encode.autoscaling[0].total_min_node_count == 0 && google_container_node_pool.encode.autoscaling[0].total_max_node_count == 2
    error_message = "The pool for encode workers has to begin without a node, too."
  }

  # infra/helm/pixart-batch/templates/_worker.tpl tolerates these two, the first of spot pods alone.
  assert {
    condition     = [for taint in google_container_node_pool.gpu["l4"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == ["nvidia.com/gpu=present:NO_SCHEDULE", "cloud.google.com/gke-spot=true:NO_SCHEDULE"]
    error_message = "Nodes with a spot GPU have to be kept for the pods that tolerate both."
  }

  assert {
    condition     = [for taint in google_container_node_pool.gpu["a100"].node_config[0].taint : taint.key] == ["nvidia.com/gpu"]
    error_message = "Nodes with a GPU that stays have to be kept for pods that need one."
  }
}

run "nothing_takes_pictures_away" {
  command = plan

  assert {
    condition     = { for rule in google_storage_bucket.store.lifecycle_rule : join(",", one(rule.condition).matches_prefix) => one(rule.condition).age } == { "captions/" = 30, "scratch/" = 7 }
    error_message = "Only captions and checkpoints may have an age."
  }

  assert {
    condition     = !google_storage_bucket.store.force_destroy && !google_storage_bucket.bundles.force_destroy
    error_message = "A bucket that is not empty has to stay."
  }

  assert {
    condition     = google_storage_bucket.store.soft_delete_policy[0].retention_duration_seconds == 604800
    error_message = "What was deleted can be brought back for seven days."
  }

  # Renderers' accounts, which are the most exposed, have deletion only of what is made anew by itself.
  assert {
    condition = alltrue([
      for binding in module.grants.bindings : !strcontains(coalesce(binding.expression, "/objects/objects/"), "/objects/objects/")
      if binding.role == "pixartBatchDelete"
    ])
    error_message = "No worker may delete a picture."
  }
}

run "pods_have_their_parts_accounts" {
  command = plan

  variables {
    release = "a-release-of-more-than-twenty-characters"
  }

  # The chart's accounts have the first twenty characters of the release's name.
  assert {
    condition     = google_service_account_iam_member.pods["renderer"].member == "serviceAccount:my-project.svc.id.goog[studio/a-release-of-more-th-renderer]"
    error_message = "The account in Kubernetes has to be the chart's."
  }

  assert {
    condition     = yamldecode(output.values).rendererServiceAccountAnnotations["iam.gke.io/gcp-service-account"] == "pixart-renderer@my-project.iam.gserviceaccount.com"
    error_message = "The chart has to be told whom its pods are in Google Cloud."
  }

  assert {
    condition     = yamldecode(output.values).renderer == { spot = true, nodeSelector = { "cloud.google.com/gke-accelerator" = "nvidia-l4" } }
    error_message = "Render workers have to be told the only pool for them."
  }
}

run "store_can_forget_at_once" {
  command = plan

  variables {
    soft_delete_days = 0
  }

  assert {
    condition     = google_storage_bucket.store.soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "Zero days switch soft delete off."
  }
}

run "budget_is_of_the_project" {
  command = plan

  variables {
    budget = { billing_account = "000000-000000-000000", amount = 500, currency = "EUR" }
  }

  assert {
    condition     = length(google_billing_budget.project) == 1 && contains(keys(google_project_service.used), "billingbudgets.googleapis.com")
    error_message = "A budget needs its API."
  }
}

run "what_cloud_storage_refuses_is_refused_first" {
  command = plan

  variables {
    soft_delete_days = 3
  }

  expect_failures = [var.soft_delete_days]
}

run "pool_without_a_node_is_refused" {
  command = plan

  variables {
    gpu_pools = { l4 = { machine_type = "g2-standard-8", accelerator = "nvidia-l4", max_nodes = 0 } }
  }

  expect_failures = [var.gpu_pools]
}

run "workers_get_no_further_members" {
  command = plan

  variables {
    people = { renderer = ["user:ada@example.com"] }
  }

  expect_failures = [var.people]
}
