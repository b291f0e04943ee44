# Tests the provider's plan in an empty project: `bash infra/terraform/validate.sh`.

provider "google" {
  project      = "my-project"
  region       = "europe-west4"
  access_token = "no request reaches Google"
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
    error_message = "A GPU pool has to start with no node and scale to at most max_nodes in all zones together."
  }

  assert {
    condition     = google_container_node_pool.encode.autoscaling[0].total_min_node_count == 0 && google_container_node_pool.encode.autoscaling[0].total_max_node_count == 2
    error_message = "The pool for encode workers has to start with no node, too."
  }

  # infra/helm/pixart-batch/templates/_worker.tpl tolerates both of these, the first only on spot pods.
  assert {
    condition     = [for taint in google_container_node_pool.gpu["l4"].node_config[0].taint : "${taint.key}=${taint.value}:${taint.effect}"] == ["nvidia.com/gpu=present:NO_SCHEDULE", "cloud.google.com/gke-spot=true:NO_SCHEDULE"]
    error_message = "Nodes with a spot GPU have to be reserved for pods that tolerate both taints."
  }

  assert {
    condition     = [for taint in google_container_node_pool.gpu["a100"].node_config[0].taint : taint.key] == ["nvidia.com/gpu"]
    error_message = "Nodes with a regular GPU have to be reserved for pods that need one."
  }
}

run "nothing_takes_pictures_away" {
  command = plan

  assert {
    condition     = { for rule in google_storage_bucket.store.lifecycle_rule : join(",", one(rule.condition).matches_prefix) => one(rule.condition).age } == { "captions/" = 30, "scratch/" = 7 }
    error_message = "Only captions and checkpoints may have an age limit."
  }

  assert {
    condition     = !google_storage_bucket.store.force_destroy && !google_storage_bucket.bundles.force_destroy
    error_message = "A bucket that is not empty must not be destroyed."
  }

  assert {
    condition     = google_storage_bucket.store.soft_delete_policy[0].retention_duration_seconds == 604800
    error_message = "Deleted objects have to stay restorable for seven days."
  }

  # Renderers' accounts, the most exposed ones, may delete only objects that are recreated automatically.
  assert {
    condition = alltrue([
      for binding in module.grants.bindings : !strcontains(coalesce(binding.expression, "/objects/objects/"), "/objects/objects/")
      if binding.role == "pixartBatchDelete"
    ])
    error_message = "No worker may delete an image."
  }
}

run "pods_have_their_parts_accounts" {
  command = plan

  variables {
    release = "a-release-of-more-than-twenty-characters"
  }

  # The chart's accounts start with the first twenty characters of the release's name.
  assert {
    condition     = google_service_account_iam_member.pods["renderer"].member == "serviceAccount:my-project.svc.id.goog[studio/a-release-of-more-th-renderer]"
    error_message = "The Kubernetes account has to be the chart's."
  }

  assert {
    condition     = yamldecode(output.values).rendererServiceAccountAnnotations["iam.gke.io/gcp-service-account"] == "pixart-renderer@my-project.iam.gserviceaccount.com"
    error_message = "The chart's values have to name its pods' Google accounts."
  }

  assert {
    condition     = yamldecode(output.values).renderer == { spot = true, nodeSelector = { "cloud.google.com/gke-accelerator" = "nvidia-l4" } }
    error_message = "The chart's values have to assign render workers to their only pool."
  }
}

run "store_can_forget_at_once" {
  command = plan

  variables {
    soft_delete_days = 0
  }

  assert {
    condition     = google_storage_bucket.store.soft_delete_policy[0].retention_duration_seconds == 0
    error_message = "Zero days have to switch soft delete off."
  }
}

run "budget_is_of_the_project" {
  command = plan

  variables {
    budget = { billing_account = "000000-000000-000000", amount = 500, currency = "EUR" }
  }

  assert {
    condition     = length(google_billing_budget.project) == 1 && contains(keys(google_project_service.used), "billingbudgets.googleapis.com")
    error_message = "A budget needs its API enabled."
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
